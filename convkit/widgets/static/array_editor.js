const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], Enter: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

function render({ model, el }) {
  const view = new AbortController();
  el.classList.add("ck-part", "ck-array");
  const grid = make("div", { role: "group" });
  const why = make("p", { class: "ck-why", id: `ck-${crypto.randomUUID()}` });
  el.append(grid, why);
  let boxes = [];
  let sent = []; // when each box last told Python of an edit

  const tell = (k, content) => {
    const columns = model.get("shape")[1];
    const stamp = performance.timeOrigin + performance.now();
    sent[k] = stamp;
    send(model, { cell: [Math.floor(k / columns), k % columns], stamp, ...content });
  };

  const paste = (event, k) => {
    const text = event.clipboardData.getData("text").trim();
    if (!/\S[\s,;]+\S/.test(text)) return; // one number: an ordinary paste
    event.preventDefault();
    tell(k, { paste: text });
  };

  /** Move to the box above, below or, from an end of the text, beside. */
  const move = (event, k) => {
    if (!(event.key in MOVES) || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
    const { selectionStart: start, selectionEnd: end, value } = boxes[k];
    const [down, right] = MOVES[event.key];
    if ((right < 0 && start > 0) || (right > 0 && end < value.length)) return;
    event.preventDefault();
    const [rows, columns] = model.get("shape");
    const [i, j] = [Math.floor(k / columns) + down, (k % columns) + right];
    if (i < 0 || i >= rows || j < 0 || j >= columns) return;
    boxes[i * columns + j].focus();
    boxes[i * columns + j].select();
  };

  const makeBox = (k) => {
    const box = guardKeys(make("input", { type: "text", inputmode: "decimal", autocomplete: "off" }));
    box.addEventListener("input", () => tell(k, { text: box.value }));
    box.addEventListener("paste", (event) => paste(event, k));
    box.addEventListener("keydown", (event) => move(event, k));
    box.addEventListener("focus", () => {
      const columns = model.get("shape")[1];
      model.set("cell", [Math.floor(k / columns), k % columns]);
      model.save_changes();
    });
    return box;
  };

  const build = () => {
    const count = model.get("names").length;
    while (boxes.length > count) boxes.pop().remove();
    while (boxes.length < count) {
      boxes.push(makeBox(boxes.length));
      grid.append(boxes.at(-1));
    }
    grid.style.setProperty("--columns", model.get("shape")[1]);
    grid.style.setProperty("--chars", Math.max(4, ...model.get("texts").map((text) => text.length)));
    grid.classList.toggle("ck-compact", model.get("compact"));
    grid.setAttribute("aria-label", model.get("label"));
  };

  const show = () => {
    if (boxes.length !== model.get("names").length) sent = [];
    build();
    const [names, texts, titles] = ["names", "texts", "titles"].map((name) => model.get(name));
    const [colours, invalid] = [model.get("colours"), model.get("invalid")];
    const [row, column] = model.get("cell");
    const chosen = model.get("show_cell") ? row * model.get("shape")[1] + column : -1;
    boxes.forEach((box, k) => {
      // A text typed since the edit that Python has answered last is newer than Python's.
      const newer = sent[k] > model.get("answered");
      if (!newer && box.value !== texts[k]) box.value = texts[k];
      const refused = invalid.includes(k);
      box.setAttribute("aria-label", names[k]);
      box.setAttribute("aria-invalid", String(refused));
      if (refused) box.setAttribute("aria-describedby", why.id);
      else box.removeAttribute("aria-describedby");
      box.title = titles[k] ?? "";
      box.classList.toggle("ck-chosen", k === chosen);
      // Of many boxes one is a Tab stop; arrows lead to the others.
      box.tabIndex = model.get("compact") && k !== row * model.get("shape")[1] + column ? -1 : 0;
      [box.style.backgroundColor, box.style.color] = refused ? ["", ""] : colours[k];
    });
    why.textContent = model.get("error");
    why.hidden = !model.get("error");
  };

  // At "change", not at each trait's own event: once for all traits of one message.
  model.on("change", show);
  view.signal.addEventListener("abort", () => model.off("change", show));
  show();
  return () => view.abort();
}

export default { render };
