function render({ model, el }) {
  const view = new AbortController();
  el.classList.add("ck-part", "ck-file-button");
  const label = make("label");
  const input = guardKeys(make("input", { type: "file" }));
  const text = make("span", { "aria-hidden": "true" });
  label.append(input, text);
  el.append(label);
  input.addEventListener("change", async () => {
    const [file] = input.files;
    if (!file) return;
    // Of a file that is too large Python needs to see no more than that it is.
    const bytes = await file.slice(0, model.get("max_bytes") + 1).arrayBuffer();
    input.value = ""; // so that the same file can be chosen again
    send(model, { name: file.name }, [bytes]);
  });
  watch(model, view.signal, ["label", "accept"], () => {
    text.textContent = `↥ ${model.get("label")}`;
    input.setAttribute("aria-label", model.get("label"));
    input.accept = model.get("accept");
  });
  return () => view.abort();
}

export default { render };
