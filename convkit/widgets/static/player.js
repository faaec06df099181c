const ICONS = {
  first: "M3 3h2v10H3zM13 3v10L6 8z",
  previous: "M11 3v10L5 8z",
  play: "M4 2.5v11L13 8z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  next: "M5 3v10l6-5z",
  last: "M11 3h2v10h-2zM3 3v10l7-5z",
};

/** The clock: once per model, so that two views of it do not play twice as fast. */
function initialize({ model }) {
  let timer = 0;
  const save = () => model.save_changes();
  const tick = () => {
    const next = model.get("value") + 1;
    model.set("value", Math.min(next, model.get("max")));
    if (next >= model.get("max")) model.set("playing", false);
    save();
  };
  const start = () => {
    clearInterval(timer);
    if (!model.get("playing")) return;
    if (model.get("value") >= model.get("max")) model.set("value", 0);
    save();
    timer = setInterval(tick, model.get("interval"));
  };
  model.on("change:playing", start);
  model.on("change:interval", start);
  start();
  return () => clearInterval(timer);
}

function render({ model, el }) {
  const view = new AbortController();
  el.classList.add("ck-part", "ck-player");
  const save = () => model.save_changes();
  const go = (value, playing = false) => {
    model.set("value", clamp(value, 0, model.get("max")));
    model.set("playing", playing);
    save();
  };

  const button = (icon, action) => {
    const node = guardKeys(make("button", { type: "button", class: `ck-${icon}` }));
    node.innerHTML = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${ICONS[icon]}"/></svg>`;
    node.addEventListener("click", action);
    el.append(node);
    return node;
  };
  const buttons = {
    first: button("first", () => go(0)),
    previous: button("previous", () => go(model.get("value") - 1)),
    play: button("play", () => go(model.get("value"), !model.get("playing"))),
    next: button("next", () => go(model.get("value") + 1)),
    last: button("last", () => go(model.get("max"))),
  };

  const text = make("span", { "aria-hidden": "true" });
  const number = guardKeys(make("input", { type: "number", min: "0", step: "1" }));
  number.addEventListener("input", () => {
    if (number.value !== "" && number.validity.valid) go(Number(number.value));
  });
  number.addEventListener("blur", () => (number.value = model.get("value")));
  const range = guardKeys(make("input", { type: "range", min: "0", step: "1" }));
  range.addEventListener("input", () => go(Number(range.value)));
  if (model.get("show_number")) el.append(text, number);
  if (model.get("show_slider")) el.append(range);

  const name = () => {
    const label = model.get("label");
    const playing = model.get("playing");
    for (const [key, node] of Object.entries(buttons)) node.setAttribute("aria-label", `${key} ${label}`);
    buttons.play.setAttribute("aria-label", playing ? `pause ${label}` : `play ${label}`);
    buttons.play.querySelector("path").setAttribute("d", ICONS[playing ? "pause" : "play"]);
    for (const node of Object.values(buttons)) node.title = node.getAttribute("aria-label");
    number.setAttribute("aria-label", label);
    range.setAttribute("aria-label", label);
    text.textContent = label;
  };
  const show = () => {
    const [value, max] = [model.get("value"), model.get("max")];
    number.max = range.max = max;
    range.value = value;
    if (document.activeElement !== number || Number(number.value) !== value) number.value = value;
    number.style.width = `${Math.max(2, String(max).length) + 2}ch`;
    range.setAttribute("aria-valuetext", model.get("valuetext") || `${model.get("label")} ${value}`);
    // Not `disabled`: a button that disables itself under the focus drops it to the page.
    for (const key of ["first", "previous"]) buttons[key].setAttribute("aria-disabled", value <= 0);
    for (const key of ["next", "last"]) buttons[key].setAttribute("aria-disabled", value >= max);
  };
  watch(model, view.signal, ["label", "playing"], name);
  watch(model, view.signal, ["value", "max", "label", "valuetext"], show);
  return () => view.abort();
}

export default { initialize, render };
