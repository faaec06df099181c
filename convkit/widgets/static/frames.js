const ANNOUNCE_AFTER = 500; // ms without another frame: longer than a player takes for one

function render({ model, el }) {
  const view = new AbortController();
  el.classList.add("ck-part", "ck-frames");
  const body = make("div");
  const said = make("div", { class: "ck-said", role: "status" });
  el.append(body, said);
  let slots = [];
  let shown = [];
  let codes = new Uint16Array(0);
  let columns = new Uint16Array(0);

  const build = () => {
    body.innerHTML = model.get("html");
    slots = [...body.querySelectorAll("[data-slot]")].sort((a, b) => a.dataset.slot - b.dataset.slot);
    shown = slots.map((slot) => [slot.textContent, slot.getAttribute("class")]);
    show();
  };
  const read = () => {
    codes = typed(model.get("codes"), Uint16Array);
    columns = typed(model.get("columns"), Uint16Array);
    show();
  };
  /** Fill the slots of the frame `index`, touching only what differs. */
  const show = () => {
    const from = model.get("index") * (columns.length && Math.max(...columns) + 1);
    const contents = model.get("contents");
    slots.forEach((slot, k) => {
      const [text, name] = contents[codes[from + columns[k]]] ?? [null, null];
      if (text !== null && text !== shown[k][0]) slot.textContent = text;
      if (name !== null && name !== shown[k][1]) slot.setAttribute("class", name);
      shown[k] = [text ?? shown[k][0], name ?? shown[k][1]];
    });
  };

  // Only where the index has moved: what else changes a frame, Python says in `announcement`.
  let timer = 0;
  const announce = (text) => {
    if (text) said.textContent = text;
  };
  const announceLater = () => {
    clearTimeout(timer);
    timer = setTimeout(() => announce(model.get("announcements")[model.get("index")]), ANNOUNCE_AFTER);
  };

  watch(model, view.signal, ["html"], build);
  watch(model, view.signal, ["codes", "columns", "contents"], read);
  watch(model, view.signal, ["index"], show);
  watch(model, view.signal, ["announcement"], () => announce(model.get("announcement")));
  model.on("change:index", announceLater);
  view.signal.addEventListener("abort", () => {
    clearTimeout(timer);
    model.off("change:index", announceLater);
  });
  return () => view.abort();
}

export default { render };
