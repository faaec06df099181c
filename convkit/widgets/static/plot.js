const SVG = "http://www.w3.org/2000/svg";
const KEY_UNITS = 4;
const NOTE_GAP = 16; // px between a marker and the end of its text, without the text
const STEPS = {
  ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0],
};

function render({ model, el }) {
  const view = new AbortController();
  el.classList.add("ck-part", "ck-plot");
  const area = make("div", { class: "ck-area" });
  const svg = shape("svg", { role: "img" });
  const shapes = shape("g");
  const ahead = shape("path", { class: "ck-ahead" });
  const guide = shape("path", { class: "ck-guide" });
  const halo = shape("path", { class: "ck-halo" });
  const walked = shape("path", { class: "ck-walked" });
  const rims = shape("path", { class: "ck-rims" });
  const dots = shape("path", { class: "ck-dots" });
  svg.append(shapes, ahead, guide, halo, walked, rims, dots);
  const [words, start, marker] = ["words", "start", "marker"].map(span);
  const [startText, markerText, outsideText] = ["note", "note ck-marker-text", "note ck-outside-text"].map(span);
  area.append(svg, words, start, marker, startText, markerText, outsideText);
  el.append(area);
  let points = [];

  const describe = () => {
    const [width, height] = model.get("size");
    area.style.width = model.get("stretch") ? "" : `${width}px`;
    area.style.height = `${height}px`;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("preserveAspectRatio", "none");
    shapes.innerHTML = model.get("shapes");
    words.innerHTML = model.get("words");
    svg.setAttribute("aria-label", model.get("label"));
    svg.classList.toggle("ck-clickable", model.get("clickable"));
    if (model.get("clickable")) svg.setAttribute("tabindex", "0");
    else svg.removeAttribute("tabindex");
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
    const spots = before.slice(0, -1).map(([x, y]) => `M${x},${y}h0`).join("");
    ahead.setAttribute("d", model.get("show_ahead") ? line(points) : "");
    for (const path of [halo, walked]) path.setAttribute("d", line(before));
    for (const path of [rims, dots]) path.setAttribute("d", spots);
    drawStart();
    drawMarker(points[index], index);
    hideCoveredRings();
  };
  const hideCoveredRings = () => {
    const placeOf = (node) => node.getBoundingClientRect();
    const notes = [startText, markerText, outsideText].map(placeOf);
    const rings = [...shapes.querySelectorAll("text")];
    const places = rings.map(placeOf); // all are read before any is changed
    rings.forEach((ring, k) => ring.classList.toggle("ck-covered", notes.some((note) => overlap(note, places[k]))));
  };
  const drawStart = () => {
    const text = points.length ? model.get("start_text") : "";
    start.hidden = startText.hidden = !text || isOutside(points[0]);
    if (start.hidden) return;
    place(start, points[0]);
    note(startText, text, points[0], points[0][0] > model.get("size")[0] / 5);
  };
  const drawMarker = (point, index) => {
    const [width, height] = model.get("size");
    marker.hidden = markerText.hidden = outsideText.hidden = true;
    guide.setAttribute("d", "");
    if (!point) return;
    // Outside: an arrow at the edge, on the line from the middle to where the point would be.
    const outside = isOutside(point);
    const away = [point[0] - width / 2, point[1] - height / 2];
    const reach = Math.max(1, Math.abs(2 * away[0]) / width, Math.abs(2 * away[1]) / height);
    const shown = [width / 2 + away[0] / reach, height / 2 + away[1] / reach];
    marker.hidden = false;
    marker.classList.toggle("ck-outside", outside);
    marker.style.rotate = outside ? `${Math.atan2(away[1], away[0])}rad` : "";
    place(marker, shown);
    if (model.get("pick") === "index") guide.setAttribute("d", `M${shown[0]},0V${height}`);
    if (outside) {
      const onLeft = 2 * shown[0] < width; // the words stand at the other side
      note(outsideText, model.get("outside_texts")[index], [onLeft ? width : 0, height], onLeft);
      return;
    }
    note(markerText, model.get("marker_texts")[index], shown, false);
    const right = (shown[0] / width) * area.clientWidth + markerText.offsetWidth + NOTE_GAP;
    markerText.classList.toggle("ck-on-left", right > area.clientWidth);
  };
  const isOutside = ([x, y]) => {
    const [width, height] = model.get("size");
    return x < 0 || y < 0 || x > width || y > height;
  };
  const place = (node, [x, y]) => {
    const [width, height] = model.get("size");
    node.style.left = `${(100 * x) / width}%`;
    node.style.top = `${(100 * y) / height}%`;
  };
  const note = (node, text, point, onLeft) => {
    node.hidden = !text;
    node.textContent = text ?? "";
    node.classList.toggle("ck-on-left", onLeft);
    place(node, point);
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
  const choose = ([x, y]) => {
    const [width, height] = model.get("size");
    if (model.get("pick") === "index") return goNear([x, y]);
    next = [clamp(x, 0, width), clamp(y, 0, height)];
    sendPerFrame();
  };

  const pointAt = (event) => {
    const box = svg.getBoundingClientRect();
    const [width, height] = model.get("size");
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    return [(x * width) / box.width, (y * height) / box.height];
  };
  svg.addEventListener("pointerdown", (event) => {
    if (!model.get("clickable")) return;
    svg.setPointerCapture(event.pointerId);
    choose(pointAt(event));
  });
  svg.addEventListener("pointermove", (event) => {
    if (svg.hasPointerCapture(event.pointerId)) choose(pointAt(event));
  });

  const ends = () => ({ Home: 0, End: points.length - 1 });
  const moveIndex = (key) => {
    if (key in ends()) return goTo(ends()[key]);
    const [right, down] = STEPS[key];
    goTo(model.get("index") + right - down);
  };
  guardKeys(svg).addEventListener("keydown", (event) => {
    const byIndex = model.get("pick") === "index";
    const known = event.key in STEPS || (byIndex && event.key in ends());
    if (!known || !model.get("clickable")) return;
    event.preventDefault();
    if (byIndex) return moveIndex(event.key);
    const [x, y] = next ?? points[0] ?? model.get("size").map((length) => length / 2);
    const [right, down] = STEPS[event.key];
    choose([x + KEY_UNITS * right, y + KEY_UNITS * down]);
  });

  watch(model, view.signal, ["size", "stretch", "shapes", "words", "label", "clickable"], describe);
  watch(model, view.signal, ["path"], read);
  const drawn = ["index", "show_ahead", "marker_texts", "outside_texts", "start_text", "size", "pick"];
  watch(model, view.signal, drawn, draw);
  watch(model, view.signal, ["answered"], answer);
  const resized = new ResizeObserver(draw); // where a text fits depends on the width
  resized.observe(area);
  return () => {
    view.abort();
    resized.disconnect();
  };
}

const overlap = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

function span(name) {
  return make("span", { class: `ck-${name}`, "aria-hidden": "true" });
}

function shape(tag, attributes = {}) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

export default { render };
