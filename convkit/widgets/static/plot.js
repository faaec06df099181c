const SVG = "http://www.w3.org/2000/svg";
const KEY_PIXELS = 4;
const STEPS = {
  ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0],
};

function render({ model, el }) {
  const view = new AbortController();
  el.classList.add("ck-part", "ck-plot");
  const box = make("div");
  const image = make("img", { alt: "" });
  const overlay = shape("svg", { role: "img" });
  const clip = shape("svg", { "aria-hidden": "true" }); // a nested svg cuts off what leaves the area
  const ahead = shape("path", { class: "ck-ahead" });
  const guide = shape("path", { class: "ck-guide" });
  const walked = shape("path", { class: "ck-walked" });
  const dots = shape("path", { class: "ck-dots" });
  const marker = shape("path", { class: "ck-marker" });
  const text = shape("text", { class: "ck-marker-text" });
  clip.append(ahead, guide, walked, dots);
  overlay.append(clip, marker, text);
  box.append(image, overlay);
  el.append(box);
  let points = [];

  const paint = () => {
    URL.revokeObjectURL(image.src);
    image.hidden = !model.get("background")?.byteLength;
    image.src = URL.createObjectURL(new Blob([model.get("background")], { type: "image/png" }));
  };
  const measure = () => {
    const [width, height] = model.get("size");
    const [left, top, across, down] = model.get("area");
    box.style.width = `${width}px`;
    box.style.aspectRatio = `${width} / ${height}`;
    overlay.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const place = { x: left, y: top, width: across, height: down };
    for (const [name, value] of Object.entries(place)) clip.setAttribute(name, value);
    clip.setAttribute("viewBox", `${left} ${top} ${across} ${down}`);
    overlay.setAttribute("aria-label", model.get("label"));
    overlay.classList.toggle("ck-clickable", model.get("clickable"));
    if (model.get("clickable")) overlay.setAttribute("tabindex", "0");
    else overlay.removeAttribute("tabindex");
  };
  const read = () => {
    const numbers = typed(model.get("path"), Float32Array);
    points = [];
    for (let k = 0; k + 1 < numbers.length; k += 2) points.push([numbers[k], numbers[k + 1]]);
    draw();
  };

  const draw = () => {
    const index = clamp(model.get("index"), 0, points.length - 1);
    const before = points.slice(0, index + 1);
    const line = (some) => (some.length ? `M${some.join("L")}` : "");
    ahead.setAttribute("d", model.get("show_ahead") ? line(points) : "");
    walked.setAttribute("d", line(before));
    dots.setAttribute("d", before.map(([x, y]) => `M${x},${y}h0`).join(""));
    drawMarker(points[index], index);
  };
  const drawMarker = (point, index) => {
    marker.style.display = text.style.display = point ? "" : "none";
    guide.setAttribute("d", "");
    if (!point) return;
    const [left, top, width, height] = model.get("area");
    const [x, y] = inArea(point);
    const outside = Math.hypot(point[0] - x, point[1] - y) > 1;
    const angle = (Math.atan2(point[1] - y, point[0] - x) * 180) / Math.PI;
    // Outside the area: an arrow at its edge, towards where the point would be.
    marker.setAttribute("d", outside ? "M-16,-7L0,0L-16,7z" : "M-6,0a6,6 0 1 0 12,0a6,6 0 1 0 -12,0");
    marker.setAttribute("transform", `translate(${x},${y}) rotate(${outside ? angle : 0})`);
    marker.classList.toggle("ck-outside", outside);
    if (model.get("pick") === "index") guide.setAttribute("d", `M${x},${top}v${height}`);
    text.textContent = model.get("marker_texts")[index] ?? model.get("marker_text");
    const onLeft = x > left + width * 0.6;
    text.setAttribute("text-anchor", onLeft ? "end" : "start");
    text.setAttribute("x", x + (onLeft ? -12 : 12));
    text.setAttribute("y", clamp(y - 6, top + 12, top + height - 4));
  };
  const inArea = ([x, y]) => {
    const [left, top, width, height] = model.get("area");
    return [clamp(x, left, left + width), clamp(y, top, top + height)];
  };

  const save = () => model.save_changes();
  const goTo = (index) => {
    model.set("index", clamp(index, 0, points.length - 1));
    save();
  };
  const goNear = ([x]) => {
    let nearest = 0;
    points.forEach((point, k) => {
      if (Math.abs(point[0] - x) < Math.abs(points[nearest][0] - x)) nearest = k;
    });
    goTo(nearest);
  };

  // While Python works on one point only the newest of the others waits, so that none lags behind.
  let waiting = null; // the stamp that Python has yet to answer
  let next = null;
  const sendNext = () => {
    if (!next || waiting !== null) return;
    waiting = performance.timeOrigin + performance.now();
    send(model, { x: next[0], y: next[1], stamp: waiting });
    next = null;
  };
  const sendPerFrame = oncePerFrame(sendNext);
  const answer = () => {
    if (waiting === null || model.get("answered") < waiting) return;
    waiting = null;
    sendNext();
  };
  const choose = (point) => {
    if (model.get("pick") === "index") return goNear(point);
    next = inArea(point);
    sendPerFrame();
  };

  const pointAt = (event) => {
    const area = overlay.getBoundingClientRect();
    const scale = model.get("size")[0] / area.width;
    return [(event.clientX - area.left) * scale, (event.clientY - area.top) * scale];
  };
  overlay.addEventListener("pointerdown", (event) => {
    const point = pointAt(event);
    const [x, y] = inArea(point);
    if (!model.get("clickable") || x !== point[0] || y !== point[1]) return;
    overlay.setPointerCapture(event.pointerId);
    choose(point);
  });
  overlay.addEventListener("pointermove", (event) => {
    if (overlay.hasPointerCapture(event.pointerId)) choose(pointAt(event));
  });

  const middle = () => {
    const [left, top, width, height] = model.get("area");
    return [left + width / 2, top + height / 2];
  };
  const ends = () => ({ Home: 0, End: points.length - 1 });
  const moveIndex = (key) => {
    if (key in ends()) return goTo(ends()[key]);
    const [right, down] = STEPS[key];
    goTo(model.get("index") + right - down);
  };
  guardKeys(overlay).addEventListener("keydown", (event) => {
    const byIndex = model.get("pick") === "index";
    const known = event.key in STEPS || (byIndex && event.key in ends());
    if (!known || !model.get("clickable")) return;
    event.preventDefault();
    if (byIndex) return moveIndex(event.key);
    const [x, y] = next ?? points[0] ?? middle();
    const [right, down] = STEPS[event.key];
    choose([x + KEY_PIXELS * right, y + KEY_PIXELS * down]);
  });

  watch(model, view.signal, ["background"], paint);
  watch(model, view.signal, ["size", "area", "label", "clickable"], measure);
  watch(model, view.signal, ["path"], read);
  watch(model, view.signal, ["index", "show_ahead", "marker_text", "marker_texts", "area", "pick"], draw);
  watch(model, view.signal, ["answered"], answer);
  return () => {
    view.abort();
    URL.revokeObjectURL(image.src);
  };
}

function shape(tag, attributes = {}) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

export default { render };
