function render({ model, el }) {
  const view = new AbortController();
  el.classList.add("ck-part", "ck-picture-part");
  const canvas = make("canvas", { role: "img" });
  const frame = make("div", { class: "ck-frame-ring" });
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

  /** Lay the frame around the window of the cell pointed at, or else of the chosen one. */
  const place = () => {
    const cell = shownCell(model);
    frame.hidden = !cell.length || !model.get("window").length;
    if (frame.hidden) return;
    const sides = [["top", "height"], ["left", "width"]];
    fullShape().forEach((size, axis) => {
      const start = model.get("start")[axis] + cell[axis] * model.get("stride")[axis];
      frame.style[sides[axis][0]] = `${(100 * start) / size}%`;
      frame.style[sides[axis][1]] = `${(100 * model.get("window")[axis]) / size}%`;
    });
    frame.dataset.cell = cell.join(",");
  };

  const describe = () => {
    const [height, width] = fullShape();
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
  const placed = ["cell", "pointed", "start", "stride", "window", "shape", "full_shape"];
  watch(model, view.signal, placed, place);
  return () => view.abort();
}

export default { render };
