const RIM = 4; // CSS px by which the frame may reach over the picture's edge
/** The frame's lines: how far outside the window each begins, how wide it is, its colour. */
const LINES = [[3, 1, "rgba(0, 0, 0, .55)"], [2, 2, ""], [0, 1, "rgba(255, 255, 255, .8)"]];

function render({ model, el }) {
  const view = new AbortController();
  el.classList.add("ck-part", "ck-picture-part");
  const canvas = make("canvas", { role: "img" });
  // A canvas of its own: moving an element over the picture would lay out the page's layers anew.
  const frame = make("canvas", { class: "ck-frame-ring", "aria-hidden": "true" });
  const box = make("div");
  box.append(canvas, frame);
  el.append(box);

  const paint = () => {
    const [height, width] = model.get("shape");
    const pixels = typed(model.get("pixels"), Uint8Array);
    const palette = typed(model.get("palette"), Uint32Array);
    if (pixels.length !== height * width || palette.length !== 256) return;
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const image = new ImageData(width, height);
    const colours = new Uint32Array(image.data.buffer);
    for (let k = 0; k < pixels.length; k++) colours[k] = palette[pixels[k]];
    canvas.getContext("2d").putImageData(image, 0, 0);
  };

  const fullShape = () => (model.get("full_shape").length ? model.get("full_shape") : model.get("shape"));

  /** Draw the frame around the window of the cell pointed at, or else of the chosen one. */
  const place = () => {
    const cell = shownCell(model);
    const [width, height] = [frame.clientWidth - 2 * RIM, frame.clientHeight - 2 * RIM];
    const pen = frame.getContext("2d");
    pen.resetTransform();
    pen.clearRect(0, 0, frame.width, frame.height);
    frame.dataset.cell = cell.join(",");
    if (!cell.length || width <= 0) return;
    const [top, left] = cell.map((n, axis) => model.get("start")[axis] + n * model.get("stride")[axis]);
    const [rows, columns] = model.get("window");
    const [across, down] = [width / fullShape()[1], height / fullShape()[0]]; // CSS px of a pixel
    pen.scale(frame.width / frame.clientWidth, frame.height / frame.clientHeight);
    pen.translate(RIM + left * across, RIM + top * down);
    if (model.get("zoomed")) drawZoom(pen, [left * across, top * down], [columns * across, rows * down], [width, height]);
    for (const [out, line, colour] of LINES) {
      const middle = out - line / 2;
      pen.lineWidth = line;
      pen.strokeStyle = colour || getComputedStyle(frame).color;
      pen.strokeRect(-middle, -middle, columns * across + 2 * middle, rows * down + 2 * middle);
    }
  };
  /** Draw dashed lines from the frame to the corners below which its neighbourhood stands. */
  const drawZoom = (pen, [x, y], [frameWidth, frameHeight], [width, height]) => {
    pen.lineWidth = 1;
    pen.strokeStyle = getComputedStyle(frame).color;
    pen.setLineDash([4, 3]);
    pen.beginPath();
    for (const [from, to] of [[0, -x], [frameWidth, width - x]]) {
      pen.moveTo(from, frameHeight);
      pen.lineTo(to, height - y);
    }
    pen.stroke();
    pen.setLineDash([]);
  };
  const resized = new ResizeObserver(() => {
    frame.width = frame.clientWidth * devicePixelRatio;
    frame.height = frame.clientHeight * devicePixelRatio;
    place();
  });
  resized.observe(frame);

  const describe = () => {
    const [height, width] = model.get("shape");
    box.style.width = `${model.get("width")}px`;
    box.style.aspectRatio = `${width} / ${height}`;
    canvas.setAttribute("aria-label", model.get("label"));
    frame.classList.toggle("ck-of-output", model.get("frame_role") === "output");
    box.classList.toggle("ck-pointable", model.get("pointable"));
    if (model.get("pointable")) canvas.tabIndex = 0;
    else canvas.removeAttribute("tabindex");
  };

  /** Return the cell whose window is centred closest to the pixel under the pointer. */
  const cellAt = (event) => {
    const area = canvas.getBoundingClientRect();
    const shares = [(event.clientY - area.top) / area.height, (event.clientX - area.left) / area.width];
    const pixel = fullShape().map((size, axis) => clamp(Math.floor(shares[axis] * size), 0, size - 1));
    return nearestCell(model, pixel, model.get("window"));
  };
  const point = pointer(model);
  canvas.addEventListener("pointermove", (event) => {
    if (model.get("pointable")) point(cellAt(event));
  });
  canvas.addEventListener("pointerleave", () => {
    if (model.get("pointable")) point(null);
  });
  canvas.addEventListener("click", (event) => {
    if (model.get("pointable")) choose(model, cellAt(event));
  });
  guardKeys(canvas).addEventListener("keydown", (event) => {
    if (!(event.key in ARROWS) || !model.get("pointable")) return;
    event.preventDefault();
    choose(model, neighbour(model, event.key));
  });

  watch(model, view.signal, ["pixels", "palette", "shape"], paint);
  watch(model, view.signal, ["label", "width", "shape", "full_shape", "frame_role", "pointable"], describe);
  const placed = ["cell", "pointed", "start", "stride", "window", "shape", "full_shape", "frame_role", "zoomed"];
  watch(model, view.signal, placed, place);
  return () => {
    view.abort();
    resized.disconnect();
  };
}

export default { render };
