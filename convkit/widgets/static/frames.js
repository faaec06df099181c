function render({ model, el }) {
  const view = new AbortController();
  el.classList.add("ck-part", "ck-frames");
  let slots = [];
  let shownTexts = [];
  let shownClasses = [];
  let textCodes = new Uint16Array(0);
  let classCodes = new Uint16Array(0);

  const build = () => {
    el.innerHTML = model.get("html");
    slots = [...el.querySelectorAll("[data-slot]")].sort((a, b) => a.dataset.slot - b.dataset.slot);
    shownTexts = slots.map((slot) => slot.textContent);
    shownClasses = slots.map((slot) => slot.getAttribute("class"));
    show();
  };
  const read = () => {
    textCodes = typed(model.get("text_codes"), Uint16Array);
    classCodes = typed(model.get("class_codes"), Uint16Array);
    show();
  };
  /** Fill the slots of the frame `index`, touching only those that differ. */
  const show = () => {
    const from = model.get("index") * slots.length;
    const [strings, classes] = [model.get("strings"), model.get("classes")];
    slots.forEach((slot, k) => {
      const text = strings[textCodes[from + k]];
      if (text !== undefined && text !== shownTexts[k]) slot.textContent = shownTexts[k] = text;
      const name = classes[classCodes[from + k]];
      if (name === undefined || name === shownClasses[k]) return;
      slot.setAttribute("class", name);
      shownClasses[k] = name;
    });
  };

  watch(model, view.signal, ["html"], build);
  watch(model, view.signal, ["text_codes", "class_codes", "strings", "classes"], read);
  watch(model, view.signal, ["index"], show);
  return () => view.abort();
}

export default { render };
