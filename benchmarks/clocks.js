// Clocks that run in the page: each ends in the frame that shows what was asked for. Things are
// found by their accessible names, so that one clock measures the panels of any commit.

const LONGEST = 10_000; // ms
const frame = () => new Promise(requestAnimationFrame);
const now = () => performance.now();
const named = (panel, name, kind = "") => panel.querySelector(`${kind}[aria-label^="${name}"]`);
const tables = (panel) => [...panel.querySelectorAll("table")].map((table) => table.textContent).join("|");
const path = (stepper) => stepper.querySelector(".ck-walked")?.getAttribute("d"); // on the loss surface
const enter = (box, value) => {
  box.value = value;
  for (const type of ["input", "change"]) box.dispatchEvent(new Event(type, { bubbles: true }));
};
/** Do something; return the milliseconds until the first frame in which `look` gives something else. */
const untilChanged = async (look, act) => {
  const before = look();
  const start = now();
  act();
  do await frame();
  while (look() === before && now() - start < LONGEST);
  if (look() === before) throw new Error(`nothing has changed in ${LONGEST} ms`);
  return now() - start;
};
/** Return the milliseconds, of the next `most`, to each frame in which `look` gives something new. */
const changes = async (look, most, act = () => {}) => {
  const [times, start] = [[], now()];
  for (let seen = look(); now() - start < most; act(now() - start)) {
    await frame();
    if (look() !== seen) times.push(now() - start);
    seen = look();
  }
  return times;
};
const isFilled = (part) => {
  if (!part?.offsetParent && !part?.ownerSVGElement) return false;
  if (part.getContext) return part.getContext("2d").getImageData(0, 0, 1, 1).data[3] > 0;
  return (part.value ?? part.getAttribute("d") ?? part.textContent) !== "";
};

window.clocks = {
  /** A text in a box, to the frame in which a canvas is painted, a text has changed or an image is decoded. */
  edit: (output, [box, shown, text]) =>
    new Promise((done) => {
      const find = () => output.querySelector(shown);
      const content = () => find() && (find().src ?? find().textContent);
      const paint = CanvasRenderingContext2D.prototype.putImageData;
      const before = content();
      const end = () => {
        watcher.disconnect();
        CanvasRenderingContext2D.prototype.putImageData = paint;
        requestAnimationFrame(() => done(now() - start));
      };
      CanvasRenderingContext2D.prototype.putImageData = function (...painted) {
        paint.apply(this, painted);
        if (this.canvas === find()) end();
      };
      const watcher = new MutationObserver(() => {
        if (!content() || content() === before) return;
        if (find().decode) find().decode().then(end);
        else end();
      });
      const watched = { subtree: true, childList: true, characterData: true, attributeFilter: ["src"] };
      if (!find().getContext) watcher.observe(output, watched);
      const start = now();
      enter(output.querySelector(box), text);
    }),

  /** A pixel that is pressed, to the frame in which what is said of the picture is another. */
  async paint(output, [row, column]) {
    const said = () => [...output.querySelectorAll(".ck-text")].map((text) => text.textContent).join("|");
    const pixel = named(output, "picture", "table").rows[row].cells[column];
    const area = pixel.getBoundingClientRect();
    const told = { bubbles: true, buttons: 1, clientX: area.left + area.width / 2, clientY: area.top + area.height / 2 };
    const time = await untilChanged(said, () => pixel.dispatchEvent(new PointerEvent("pointerdown", told)));
    pixel.dispatchEvent(new PointerEvent("pointerup", told));
    return time;
  },

  /** Another target of a stepper, to the path, and to the last change of its tables within a second. */
  async target(stepper, text) {
    const seen = [changes(() => path(stepper), 1000), changes(() => tables(stepper), 1000)];
    enter(named(stepper, "target[0, 0]", "input"), text);
    const [paths, all] = await Promise.all(seen);
    return [paths[0], all.at(-1)];
  },

  /** The next step on a stepper's slider, to its text. */
  scrub(stepper, step) {
    const slider = named(stepper, "step", "input[type=range]");
    const to = step ?? Number(slider.value) + 1;
    return untilChanged(() => stepper.textContent, () => enter(slider, to));
  },

  /** Moves over the photo: how long its frame takes to follow, and how often in a second the products do. */
  async point(editor) {
    const canvas = named(editor, "input", "canvas");
    const ring = canvas.parentNode.querySelector(".ck-frame-ring, [data-rule]");
    const place = () => ring.dataset.cell ?? JSON.stringify(ring.getBoundingClientRect());
    const area = canvas.getBoundingClientRect();
    const products = () => named(editor, "products").textContent;
    const [lags, begun] = [[], now()];
    let [sums, seen] = [0, products()];
    for (let k = 10.5; k < 110; k++) {
      const [clientX, clientY] = [area.left + (k * area.width) / 128, area.top + (k * area.height) / 128];
      const event = new PointerEvent("pointermove", { bubbles: true, clientX, clientY });
      lags.push(await untilChanged(place, () => canvas.dispatchEvent(event)));
      if (products() !== seen) [sums, seen] = [sums + 1, products()];
    }
    return [lags.sort((a, b) => a - b)[50], (1000 * sums) / (now() - begun)];
  },

  /** Cells of a table, chosen in a lens or else pointed at: how long the frames on all tables take to follow. */
  async follow(output, [table, isLens]) {
    const rings = () => [...output.querySelectorAll("[data-rule]")];
    const place = () => JSON.stringify(rings().map((ring) => ring.getBoundingClientRect()));
    const lags = [];
    for (const cell of [...named(output, table, "table").querySelectorAll("td:not(.ck-corner)")].slice(1)) {
      const { left: clientX, top: clientY } = cell.getBoundingClientRect();
      const event = new PointerEvent("pointermove", { bubbles: true, clientX, clientY });
      const act = () => (isLens ? cell.querySelector("input").click() : cell.dispatchEvent(event));
      lags.push(await untilChanged(place, act));
    }
    return lags.sort((a, b) => a - b)[Math.floor(lags.length / 2)];
  },

  /** A layer of the explorer, to the frame in which its tables are others. */
  layer: (explorer, [box, text]) => untilChanged(() => tables(explorer), () => enter(named(explorer, box, "input"), text)),

  /** The learning rate dragged for two seconds: paths painted in a second, and how late the last one is. */
  async drag(stepper) {
    const slider = named(stepper, "learning rate", "input[type=range]");
    let last = 0;
    const paints = await changes(() => path(stepper), 3500, (time) => {
      const to = 20 + Math.round(time / 40);
      if (to > 70 || String(to) === slider.value) return;
      last = time;
      enter(slider, to);
    });
    return [(1000 * paints.filter((time) => time <= last).length) / last, Math.max(0, paints.at(-1) - last)];
  },

  /** The key that runs a cell, to the frame in which all that its panel shows first is new and filled. */
  async run(cell, parts) {
    const find = () => parts.map((part) => cell.querySelector(part));
    const old = find();
    const begun = await new Promise((done) => {
      document.addEventListener("keydown", () => done(now()), { capture: true, once: true });
    });
    do await frame();
    while (!find().every((part, k) => part !== old[k] && isFilled(part)));
    return now() - begun;
  },
};
