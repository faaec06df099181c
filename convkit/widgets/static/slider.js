function render({ model, el }) {
  const view = new AbortController();
  el.classList.add("ck-part", "ck-slider");
  const range = guardKeys(make("input", { type: "range", step: "1" }));
  const scale = make("div", { class: "ck-scale" });
  el.append(range, scale);
  let dragging = false;

  const show = () => {
    range.min = model.get("min");
    range.max = model.get("max");
    if (!dragging) range.value = model.get("value");
    range.disabled = model.get("disabled");
    range.setAttribute("aria-label", model.get("label"));
    const text = model.get("valuetext");
    if (text) range.setAttribute("aria-valuetext", text);
    else range.removeAttribute("aria-valuetext");
    const [min, max, mark] = ["min", "max", "mark"].map((name) => model.get(name));
    scale.hidden = mark === null;
    scale.style.setProperty("--mark", `${(100 * (mark - min)) / (max - min)}%`);
  };
  watch(model, view.signal, ["min", "max", "value", "disabled", "label", "valuetext", "mark"], show);

  const save = () => model.save_changes();
  range.addEventListener("input", () => {
    model.set("value", Number(range.value));
    save();
  });
  range.addEventListener("pointerdown", () => (dragging = true));
  for (const end of ["pointerup", "pointercancel", "blur"]) {
    range.addEventListener(end, () => {
      dragging = false;
      show();
    });
  }
  return () => view.abort();
}

export default { render };
