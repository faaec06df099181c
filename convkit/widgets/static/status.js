function render({ model, el }) {
  const view = new AbortController();
  el.classList.add("ck-part", "ck-status");
  const region = make("div", { "aria-atomic": "true" });
  const text = document.createTextNode("");
  region.append(text);
  el.append(region);

  // The node stays and only its text changes: a new node would not be announced.
  const show = () => {
    const kind = model.get("kind");
    const error = kind === "error";
    region.setAttribute("role", error ? "alert" : "status");
    region.setAttribute("aria-live", error ? "assertive" : "polite");
    region.className = `ck-status-text ck-${kind}`;
    region.setAttribute("aria-busy", String(kind === "busy"));
    if (text.data !== model.get("text")) text.data = model.get("text");
  };
  // Work that is done at once is not announced: "busy" is shown only if it lasts.
  let timer = 0;
  watch(model, view.signal, ["text", "kind"], () => {
    clearTimeout(timer);
    if (model.get("kind") === "busy") timer = setTimeout(show, 150);
    else show();
  });

  // Standard ipywidgets in the same panel do not guard their keys: this does it for them.
  const guarded = new WeakSet();
  const guardPanel = (event) => {
    const panel = el.closest(".ck-panel");
    if (!panel?.contains(event.target)) return;
    event.target.setAttribute("data-lm-suppress-shortcuts", "true");
    if (guarded.has(panel)) return;
    guarded.add(panel);
    const stop = (key) => key.stopPropagation();
    panel.addEventListener("keydown", stop, { signal: view.signal });
  };
  // On the document, because the view is not yet in its panel when it is rendered.
  document.addEventListener("focusin", guardPanel, { signal: view.signal });
  return () => view.abort();
}

export default { render };
