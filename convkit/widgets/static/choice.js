function render({ model, el }) {
  const view = new AbortController();
  el.classList.add("ck-part", "ck-choice");
  const form = make("form", { role: "radiogroup" }); // a form of its own scopes the radios' name
  el.append(form);

  const build = () => {
    form.setAttribute("aria-label", model.get("label"));
    form.replaceChildren(
      ...model.get("options").map((option, k) => {
        const label = make("label", { title: model.get("titles")[k] ?? "" });
        const radio = guardKeys(make("input", { type: "radio", name: "choice", value: option }));
        radio.addEventListener("change", () => {
          model.set("value", option);
          model.save_changes();
        });
        const text = model.get("texts")[k];
        if (text !== option) radio.setAttribute("aria-label", `${option} ${text}`);
        label.append(radio, text);
        return label;
      }),
    );
    show();
  };
  const show = () => {
    for (const radio of form.elements) radio.checked = radio.value === model.get("value");
  };
  watch(model, view.signal, ["options", "texts", "titles", "label"], build);
  watch(model, view.signal, ["value"], show);
  return () => view.abort();
}

export default { render };
