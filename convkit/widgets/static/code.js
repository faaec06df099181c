function render({ model, el }) {
  const view = new AbortController();
  el.classList.add("ck-part", "ck-code-part");
  const pre = guardKeys(make("pre", { class: "ck-code", tabindex: "0", role: "region" }));
  const button = guardKeys(make("button", { type: "button" }));
  const said = make("span", { role: "status" });
  el.append(button, said, pre);

  const select = () => {
    const range = document.createRange();
    range.selectNodeContents(pre);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  };
  button.addEventListener("click", async () => {
    select();
    try {
      await navigator.clipboard.writeText(pre.textContent);
      said.textContent = "copied";
    } catch {
      said.textContent = "selected: copy it with your keys"; // the page may not use the clipboard
    }
  });
  watch(model, view.signal, ["code", "label"], () => {
    pre.textContent = model.get("code");
    pre.setAttribute("aria-label", model.get("label"));
    button.textContent = `copy the ${model.get("label")}`;
    said.textContent = "";
  });
  return () => view.abort();
}

export default { render };
