// Joined before each part's module. Browser code shows and listens; Python computes.

/** Keep the keys of a control from the notebook, where arrows leave the output and "d d" deletes. */
function guardKeys(node) {
  node.setAttribute("data-lm-suppress-shortcuts", "true");
  node.addEventListener("keydown", (event) => event.stopPropagation());
  return node;
}

/** Return an element with the given attributes. */
function make(tag, attributes = {}) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

/** Return a function that calls `action` once in the next animation frame, however often called. */
function oncePerFrame(action) {
  let asked = 0;
  return () => {
    asked ||= requestAnimationFrame(() => {
      asked = 0;
      action();
    });
  };
}

/** Call `action` now, and once after each message that changes any of these traits. */
function watch(model, signal, names, action) {
  let isAsked = false;
  const ask = () => {
    if (isAsked) return;
    isAsked = true;
    queueMicrotask(() => {
      isAsked = false;
      if (!signal.aborted) action();
    });
  };
  for (const name of names) model.on(`change:${name}`, ask);
  signal.addEventListener("abort", () => {
    for (const name of names) model.off(`change:${name}`, ask);
  });
  action();
}

/**
 * Send Python a message, and call `whenDone` when it has done all that the message asked for.
 * Without a kernel it is lost, as the panel says in words.
 */
function send(model, content, buffers = [], whenDone = () => {}) {
  const status = (message) => message.content.execution_state === "idle" && whenDone();
  try {
    model.send(content, { iopub: { status } }, buffers);
  } catch (error) {
    if (!String(error).includes("Cannot send")) throw error;
  }
}

/** Return the bytes of a Bytes trait as another typed array. */
function typed(view, Type) {
  if (!view) return new Type(0);
  return new Type(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
