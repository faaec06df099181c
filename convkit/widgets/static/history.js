const ICONS = {
  undo: ["M4 6h5.5a3.5 3.5 0 0 1 0 7H6", "M6.5 2.5v7L2 6z"],
  redo: ["M12 6H6.5a3.5 3.5 0 0 0 0 7H10", "M9.5 2.5v7L14 6z"],
  reset: ["M4.2 4.8A5 5 0 1 1 3 8.4", "M2.2 1.8v5.4h5z"],
};

function render({ model, el }) {
  const view = new AbortController();
  el.classList.add("ck-part", "ck-history");
  const buttons = {};
  for (const [name, [line, arrow]] of Object.entries(ICONS)) {
    const button = guardKeys(make("button", { type: "button", "aria-label": name, title: name }));
    button.innerHTML =
      `<svg viewBox="0 0 16 16" aria-hidden="true"><path class="ck-line" d="${line}"/><path d="${arrow}"/></svg>`;
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-disabled") !== "true") send(model, { press: name });
    });
    el.append(button);
    buttons[name] = button;
  }
  /** Take Ctrl+Z and Ctrl+Y, or Shift+Ctrl+Z, anywhere in the panel but where they undo typing. */
  const undoByKeys = (event) => {
    const name = { z: event.shiftKey ? "redo" : "undo", y: "redo" }[event.key?.toLowerCase()];
    const isTyping = event.target.matches?.("input:not([type=range], [type=radio], [type=checkbox], [type=number]), textarea");
    const isInPanel = el.closest(".ck-panel")?.contains(event.target);
    if (!name || !(event.ctrlKey || event.metaKey) || isTyping || !isInPanel) return;
    event.preventDefault();
    event.stopPropagation();
    send(model, { press: name }); // also right after another: the buttons follow later
  };
  document.addEventListener("keydown", undoByKeys, { capture: true, signal: view.signal });
  // Not `disabled`: a button that disables itself under the focus drops it to the page.
  watch(model, view.signal, ["can_undo", "can_redo"], () => {
    buttons.undo.setAttribute("aria-disabled", !model.get("can_undo"));
    buttons.redo.setAttribute("aria-disabled", !model.get("can_redo"));
  });
  return () => view.abort();
}

export default { render };
