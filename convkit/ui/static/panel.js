// One module for all panels. Python computes and writes the HTML; this patches it into the page,
// reports events, moves frames under the pointer, and decides what is painted first.

const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const MOST_UNANSWERED = 3; // of moves of one thing: one is answered while the next is on its way
const BUSY_AFTER = 150; // ms; what is answered sooner is not announced
const REST_AFTER = 120; // ms without a move, after which the rest of an answer is asked for
const SAY_AFTER = 500; // ms without another step: longer than a player takes for one
const STROKE_ENDS_AFTER = 2000; // ms without an edit, after which the next is another step of undo
const KEY_UNITS = 4; // by which an arrow key moves a point on a plot
const OWN = new Set([ // attributes that are set here, not by Python
  "aria-invalid", "aria-busy", "aria-pressed", "open", "d", "data-lm-suppress-shortcuts",
]);
const OWN_OF_CELLS = new Set(["tabindex", "aria-label", "aria-selected"]); // without the first, one loses the focus
const FOCUSABLE = "input, button, select, summary, [tabindex]";
const UNSAID = new Set(["focus", "point", "step", "restore"]); // events after which a page says what Python does

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const numbers = (text) => text.split(",").map(Number);
const fragment = (html) => {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
};
const parse = (html) => fragment(html).firstElementChild;
/** Return the bytes of a buffer as another typed array. */
const words = (view, Type) => new Type(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));

// Patching: elements stay, and with them focus, selection and scroll; only what differs is set.

/** Make `old` like `fresh`; the value of what the user has changed since, by `isNewer`, stays. */
function patch(old, fresh, isNewer) {
  if (old.tagName === "TD" && !old.firstElementChild && old.isEqualNode(fresh)) return; // sooner, as most are
  const isOwn = (name) => OWN.has(name) || (old.tagName === "TD" && OWN_OF_CELLS.has(name));
  for (const name of old.getAttributeNames()) {
    if (!fresh.hasAttribute(name) && !isOwn(name)) old.removeAttribute(name);
  }
  const isTold = old.getAttribute("value") !== fresh.getAttribute("value");
  for (const name of fresh.getAttributeNames()) {
    const value = fresh.getAttribute(name);
    if (old.getAttribute(name) !== value && !OWN.has(name)) old.setAttribute(name, value);
  }
  const isFilled = old.getAttribute("data-kind") === "series"; // by its cursor
  const chosen = fresh.value; // of a list, before its new options move into the old one
  if (!isFilled) patchChildren(old, fresh, isNewer);
  if (isNewer(old)) return;
  const isOpen = old.getAttribute("data-told"); // of a section that Python opens and closes too
  if (isOpen !== null) old.open = isOpen === "true";
  if (old.type === "radio" || old.type === "checkbox") old.checked = fresh.hasAttribute("checked");
  else if (old.tagName === "SELECT" || old.type === "range") old.value = chosen;
  else if ((old.type === "text" || old.type === "number") && isTold) {
    setText(old, fresh.value);
    accept(old);
  }
}

/** Set the text of a box; if all of it was selected, it still is. */
function setText(box, text) {
  const isSelected = box === box.getRootNode().activeElement && box.selectionStart === 0 && box.selectionEnd === box.value.length;
  box.value = text;
  if (isSelected) box.select();
}

function patchChildren(old, fresh, isNewer) {
  let at = old.firstChild;
  for (let next = fresh.firstChild, after; next; next = after) {
    after = next.nextSibling;
    at = withoutGone(at, next);
    const same = sameChild(old, at, next);
    if (!same) {
      old.insertBefore(next, at);
      continue;
    }
    if (same !== at) moveBefore(old, same, at);
    at = same.nextSibling;
    if (next.nodeType !== Node.TEXT_NODE) patch(same, next, isNewer);
    else if (same.data !== next.data) same.data = next.data;
  }
  while (at) at = removed(at);
}
const keyIn = (node) => node?.getAttribute?.("data-key") ?? null;
const isAlike = (old, fresh) => old?.nodeName === fresh.nodeName && keyIn(old) === keyIn(fresh) && old.type === fresh.type;
/** Remove a node; return the one after it. */
const removed = (node) => {
  const after = node.nextSibling;
  node.remove();
  return after;
};
/** Remove keyed elements that do not come again, before others are moved to their place. */
function withoutGone(at, next) {
  const isAhead = (key) => {
    for (let node = next; node; node = node.nextSibling) if (keyIn(node) === key) return true;
    return false;
  };
  while (keyIn(at) !== null && !isAhead(keyIn(at))) at = removed(at);
  return at;
}
/** Return the child that `next` is a new version of, if there is one. */
function sameChild(old, at, next) {
  if (isAlike(at, next)) return at;
  const key = keyIn(next);
  if (key === null) return null;
  return [...old.children].find((child) => keyIn(child) === key && child.nodeName === next.nodeName);
}
/** Move a child; with moveBefore, where a browser has it, the focus inside it stays. */
const moveBefore = (parent, child, at) => (parent.moveBefore ?? parent.insertBefore).call(parent, child, at);

/** Mark the box whose text was refused; it keeps the text, to be finished. */
const refuse = (box, why) => {
  if (!box.hasAttribute("aria-invalid")) box.titleBefore = box.title;
  box.setAttribute("aria-invalid", "true");
  box.title = why;
};
const accept = (box) => {
  if (box.hasAttribute("aria-invalid")) box.title = box.titleBefore;
  box.removeAttribute("aria-invalid");
};

// Events: sent at once; of moves that are not answered yet the last alone follows.

function channel(model, showBusy, showGone) {
  const page = Math.random(); // tells this page from others on the same kernel
  const unanswered = new Map(); // ref -> [key and event, element]
  const waiting = new Map(); // key and event -> the newest move
  const sent = new WeakMap(); // element -> ref of what it told last
  let [ref, answered, stroke, lastEdit, timer] = [0, 0, 0, 0, 0];
  /** Send Python something; return whether there is a kernel. */
  const post = (content, buffers = []) => {
    try {
      model.send(content, undefined, buffers);
      return true;
    } catch (error) {
      if (!String(error).includes("Cannot send")) throw error;
      unanswered.clear();
      clearTimeout(timer);
      showGone();
      return false;
    }
  };
  const send = (node, key, event, value, { moving = false, buffers = [] } = {}) => {
    ref += 1;
    unanswered.set(ref, [`${key} ${event}`, node]);
    if (!UNSAID.has(event)) sent.set(node, ref);
    if (!post({ page, ref, key, event, value, stroke, moving }, buffers)) return;
    if (node.dataset.quiet === undefined) timer ||= setTimeout(() => showBusy(true), BUSY_AFTER);
  };
  /** Send the moves that wait, before anything else is told. */
  const flush = () => {
    for (const move of waiting.values()) send(...move);
    waiting.clear();
  };
  /** Begin another step of undo. */
  const newStroke = () => {
    flush();
    stroke += 1;
  };
  return {
    post,
    send,
    newStroke,
    move(node, key, event, value) {
      const kind = `${key} ${event}`;
      const count = [...unanswered.values()].filter(([other]) => other === kind).length;
      if (count < MOST_UNANSWERED) return send(node, key, event, value, { moving: true });
      if (!UNSAID.has(event)) sent.set(node, Infinity);
      waiting.set(kind, [node, key, event, value, { moving: true }]);
    },
    /** Begin another step of undo unless the last edit was a moment ago. */
    edit() {
      if (Date.now() - lastEdit > STROKE_ENDS_AFTER) newStroke();
      lastEdit = Date.now();
    },
    /** Return whether an element has told something since; in the answer to it, a text box keeps its own words. */
    since(message) {
      const isOwn = message.page === page;
      const known = isOwn ? message.ref : answered;
      return (node) => (isOwn && node.type === "text" ? sent.get(node) >= known : sent.get(node) > known);
    },
    /** Note an answer; return the element that it is for, unless that has told something since. */
    heard(message) {
      if (message.page !== page) return null;
      answered = Math.max(answered, message.ref);
      const [, node] = unanswered.get(message.ref) ?? [];
      return sent.get(node) === message.ref ? node : null;
    },
    next(message) {
      if (message.page !== page) return;
      for (const [old, [kind]] of unanswered) {
        if (old > message.ref) break;
        unanswered.delete(old); // also one that an interrupted kernel never answers
        if (waiting.has(kind)) send(...waiting.get(kind));
        waiting.delete(kind);
      }
      if (unanswered.size) return;
      clearTimeout(timer);
      timer = 0;
      showBusy(false);
    },
  };
}

// Pointing: a frame's place is an affine function of the cursor's place.

/** Return the place whose frame is centred closest to a row and column. */
function nearest([t0, ti, tj, l0, li, lj, h, w], cells, [row, column]) {
  const [y, x] = [row - t0 - (h - 1) / 2, column - l0 - (w - 1) / 2];
  const det = ti * lj - tj * li;
  if (det) {
    const place = [(y * lj - x * tj) / det, (x * ti - y * li) / det];
    return place.map((n, axis) => clamp(Math.round(n), 0, cells[axis] - 1));
  }
  let [best, least] = [[0, 0], Infinity]; // such as the rows of a matrix, one for each cell
  for (let i = 0; i < cells[0]; i++) {
    for (let j = 0; j < (cells[1] ?? 1); j++) {
      const away = Math.abs(ti * i + tj * j - y) + Math.abs(li * i + lj * j - x);
      if (away < least) [best, least] = [[i, j].slice(0, cells.length), away];
    }
  }
  return best;
}

/** Return the cells on the way from one to another, the first left out. */
function cellsBetween([i, j], [toRow, toColumn]) {
  const count = Math.max(Math.abs(toRow - i), Math.abs(toColumn - j), 1);
  return Array.from({ length: count }, (_, k) => {
    const share = (k + 1) / count;
    return [Math.round(i + share * (toRow - i)), Math.round(j + share * (toColumn - j))];
  });
}

// Series: the HTML of each place of a cursor, as words that the texts share and codes.

const seriesOf = (text, codes, pixels) => ({ text, codes: words(codes, Uint16Array), pixels: words(pixels, Uint8Array) });

/** Return the HTML of a place. */
function textAt({ text, codes }, place) {
  const [count, columns] = codes;
  const n = Math.min(place, count - 1);
  let html = "";
  for (let k = 2; k < columns + 2; k++) html += text[codes[columns + 2 + codes[k] * count + n]];
  return html;
}

/** Return the points of a path, which is written as ways from each to the next, in tenths. */
function pointsOf(svg) {
  let [x, y] = [0, 0];
  return svg.dataset.points.split(" ").map((way) => {
    const [right, down] = numbers(way);
    [x, y] = [x + right, y + down];
    return [x / 10, y / 10];
  });
}

/** Draw the paths of a plot up to a step, and say where it is and on which side its note is. */
function cutPaths(svg, n) {
  const points = pointsOf(svg);
  const end = Math.min(n, points.length - 1);
  for (const path of svg.querySelectorAll("[data-join]")) {
    const shown = path.dataset.whole === undefined ? points.slice(0, end + 1) : points;
    const line = `M${shown.join(path.dataset.join)}h0`;
    if (path.getAttribute("d") !== line) path.setAttribute("d", line);
  }
  const { width, height } = svg.viewBox.baseVal;
  const [x, y] = points[end];
  svg.parentNode.style.setProperty("--x", `${(100 * x) / width}%`);
  svg.parentNode.style.setProperty("--y", `${(100 * y) / height}%`);
  svg.parentNode.dataset.side = svg.dataset.sides.split(" ")[end];
}

// Keys: those that a control uses stay in it; all others belong to the page around it.

/** Return "undo" or "redo" if a key means it, also on keyboards where Z gives another letter. */
function historyOf(event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return null;
  const isLatin = /^[a-z]$/i.test(event.key);
  const letter = isLatin ? event.key.toLowerCase() : event.code.replace("Key", "").toLowerCase();
  return { z: event.shiftKey ? "redo" : "undo", y: "redo" }[letter] ?? null;
}
const EDITING = new Set(["KeyA", "KeyC", "KeyV", "KeyX", "KeyY", "KeyZ", "Backspace", "Delete"]);
function isOurs(event) {
  if (/^F\d+$/.test(event.key)) return false;
  if (historyOf(event) || event.key === "Enter") return true;
  if (!(event.ctrlKey || event.metaKey)) return true;
  const isText = event.target.matches("input, pre, textarea");
  return event.key.startsWith("Arrow") || (isText && EDITING.has(event.code));
}

function show(model, root, tellViews) {
  root.classList.add("ck-view");
  const ending = new AbortController();
  // JupyterLab hears of a key first; it leaves those alone that are pressed on such an element.
  const guard = (event) => {
    if (root.contains(event.target)) event.target.toggleAttribute("data-lm-suppress-shortcuts", isOurs(event));
  };
  window.addEventListener("keydown", guard, { capture: true, signal: ending.signal });
  // It would also prevent the browser's own undo in a box, since cells are there to be undone.
  const guardUndo = (event) => root.contains(event.target) && event.stopImmediatePropagation();
  window.addEventListener("beforeinput", guardUndo, { capture: true, signal: ending.signal });
  const on = (type, action, options = {}) => root.addEventListener(type, action, { signal: ending.signal, ...options });
  const find = (key) => root.querySelector(`[data-key="${CSS.escape(key)}"]`);
  const keyOf = (node) => node.closest?.("[data-key]");
  const { html, pixels, series: recorded, palettes } = model.get("page");
  const colours = Object.fromEntries(Object.entries(palettes).map(([look, view]) => [look, words(view, Uint32Array)]));
  const showBusy = (isBusy) => {
    const line = root.querySelector(".ck-status");
    line?.classList.toggle("ck-waiting", isBusy);
    line?.setAttribute("aria-busy", String(isBusy));
  };
  const showGone = () => {
    root.classList.add("ck-gone");
    showBusy(false);
  };
  const { post, send, move, newStroke, edit, since, heard, next } = channel(model, showBusy, showGone);
  const tell = (node, event, value, options) => send(node, keyOf(node).dataset.key, event, value, options);
  const moveOf = (node, event, value) => move(node, keyOf(node).dataset.key, event, value);

  // Pictures.
  const paint = (canvas, data) => paintIndices(canvas, words(data, Uint8Array));
  const paintIndices = (canvas, indices) => {
    const palette = colours[canvas.dataset.look];
    const [width, height] = [canvas.getAttribute("width"), canvas.getAttribute("height")].map(Number);
    if (indices.length !== width * height) return;
    const image = new ImageData(width, height);
    const out = new Uint32Array(image.data.buffer);
    for (let k = 0; k < indices.length; k++) out[k] = palette[indices[k]];
    canvas.getContext("2d").putImageData(image, 0, 0);
  };
  const canvasOf = (key) => find(key)?.querySelector("canvas");
  const painted = new Map(Object.entries(pixels)); // key -> pixels on show

  // Cursors.
  const pointed = new Map(); // name -> place under the pointer
  const cursor = (name) => find(`${name} cursor`);
  const sizesOf = (name) => numbers(cursor(name).dataset.cells);
  const inside = (place, sizes) => sizes.map((size, axis) => clamp(place[axis], 0, size - 1));
  const chosenOf = (name) => inside(numbers(cursor(name).dataset.at), sizesOf(name));
  const placeOf = (name) => (pointed.has(name) ? inside(pointed.get(name), sizesOf(name)) : chosenOf(name));
  const indexIn = (place, sizes) => place.reduce((index, n, axis) => index * sizes[axis] + n, 0);
  /** Return the number of a cursor's place, counted in reading order. */
  const indexOf = (name) => indexIn(placeOf(name), sizesOf(name));
  const countOf = (name) => sizesOf(name).reduce((count, size) => count * size, 1);
  /** Return the place that has a number; one beyond the ends is the last or the first. */
  const placeAt = (name, index) => {
    const [rows, columns] = sizesOf(name);
    const n = clamp(index, 0, countOf(name) - 1);
    return columns === undefined ? [n] : [Math.floor(n / columns), n % columns];
  };
  let lastChosen = null; // the cursor, of those whose tables stand together, whose cell is chosen
  /** Return the cursors whose tables stand together, and the one that is pointed at, or else chosen. */
  const togetherAt = () => {
    const names = [...root.querySelectorAll(".ck-together [data-pick]")].map((part) => part.dataset.pick);
    const told = names.find((name) => cursor(name).dataset.chosen !== undefined);
    return [names, names.find((name) => pointed.has(name)) ?? (names.includes(lastChosen) ? lastChosen : told)];
  };

  // Tables whose cells can be chosen: of each the chosen cell alone has a name, and can take the focus.
  const cellAt = (part, [i, j]) => part?.querySelector(`.r${i}`)?.querySelectorAll("td")[j];
  const saidAt = (name, [i, j]) => {
    const node = find(`${name} sentences`);
    const text = node?.dataset.said;
    if (text && node.readFrom !== text) [node.readFrom, node.said] = [text, JSON.parse(text)];
    return node?.said[i]?.[j];
  };
  const nameCells = () => {
    const [together, followed] = togetherAt();
    for (const part of root.querySelectorAll("[data-key].ck-choose")) {
      const name = part.dataset.pick;
      const cell = cellAt(part, chosenOf(name));
      for (const other of part.querySelectorAll("td[tabindex]")) {
        if (other !== cell) ["tabindex", "aria-label", "aria-selected"].forEach((each) => other.removeAttribute(each));
      }
      if (!cell) continue;
      cell.tabIndex = 0;
      cell.ariaLabel = saidAt(name, chosenOf(name));
      cell.ariaSelected = String(!together.includes(name) || name === followed);
    }
  };
  const series = new Map(Object.entries(recorded).map(([key, each]) => [key, seriesOf(...each)]));
  const fill = (node, each, index) => {
    patchChildren(node, fragment(textAt(each, index)), () => false);
    for (const canvas of node.querySelectorAll("canvas")) {
      const [from, size] = [Number(canvas.dataset.from), canvas.getAttribute("width") * canvas.getAttribute("height")];
      paintIndices(canvas, each.pixels.subarray(from, from + size));
    }
  };
  const place = () => {
    for (const node of root.querySelectorAll("[data-kind=series]")) {
      const [each, index] = [series.get(node.dataset.key), indexOf(node.dataset.cursor)];
      if (node.filledFrom === each && node.index === index) continue;
      const isFirst = node.filledFrom === undefined;
      [node.filledFrom, node.index] = [each, index];
      clearTimeout(node.later);
      if (isFirst || node.role !== "status") fill(node, each, index);
      else node.later = setTimeout(() => fill(node, each, index), SAY_AFTER);
    }
    for (const part of root.querySelectorAll("[data-layer]")) {
      part.classList.toggle("ck-at", placeOf(part.dataset.pick)[2] === Number(part.dataset.layer));
    }
    for (const svg of root.querySelectorAll("[data-points]")) cutPaths(svg, indexOf(svg.dataset.cursor));
    const [together, followed] = togetherAt();
    const isOther = (name) => name !== followed && together.includes(name);
    const places = new Map(); // to look each cursor up once
    const placed = (name) => places.get(name) ?? places.set(name, placeOf(name)).get(name);
    for (const frame of root.querySelectorAll("[data-rule]")) {
      frame.style.visibility = isOther(frame.dataset.cursor) ? "hidden" : "";
      const [i, j = 0] = placed(frame.dataset.cursor);
      if (frame.style.getPropertyValue("--i") !== String(i)) frame.style.setProperty("--i", i);
      if (frame.style.getPropertyValue("--j") !== String(j)) frame.style.setProperty("--j", j);
      const picks = frame.dataset.picks?.split(",");
      if (picks) frame.style.setProperty("--pick", picks[indexOf(frame.dataset.cursor)]);
    }
    for (const line of root.querySelectorAll("output.ck-description")) {
      const name = isOther(line.dataset.cursor) ? followed : line.dataset.cursor;
      const words = saidAt(name, placeOf(name));
      if (words !== undefined && line.textContent !== words) line.textContent = words;
    }
  };
  let asked = 0;
  const placeSoon = () => {
    asked ||= requestAnimationFrame(() => {
      asked = 0;
      place();
    });
  };
  const point = (name, at) => {
    if (String(pointed.get(name) ?? null) === String(at)) return;
    if (at) pointed.set(name, at);
    else pointed.delete(name);
    placeSoon();
    if (cursor(name).dataset.point !== undefined) move(cursor(name), `${name} cursor`, "point", at);
  };
  const follow = (name, at) => {
    pointed.delete(name);
    cursor(name).dataset.at = at.join();
    lastChosen = name;
    nameCells();
    placeSoon();
  };
  const choose = (name, to) => {
    const at = inside(to, sizesOf(name));
    point(name, null); // what is chosen takes the place of what is pointed at
    follow(name, at);
    tellViews(name, at);
    move(cursor(name), `${name} cursor`, "choose", at);
  };
  /** Return row and column that an event on a table or picture means. */
  const spotOf = (part, event) => {
    const cell = event.target.closest("td");
    if (cell && cell.className !== "ck-corner") {
      const extra = part.classList.contains("ck-headed") ? 1 : 0;
      return [cell.parentNode.rowIndex - extra, cell.cellIndex - extra];
    }
    if (cell || !part.dataset.full) return null;
    const area = part.getBoundingClientRect();
    const shares = [(event.clientY - area.top) / area.height, (event.clientX - area.left) / area.width];
    return numbers(part.dataset.full).map((size, axis) => clamp(Math.floor(shares[axis] * size), 0, size - 1));
  };
  /** Return a place in the layer that a picture shows, if it shows one of several. */
  const inLayer = ({ dataset }, at) => (dataset.layer === undefined ? at : [...at, Number(dataset.layer)]);
  /** Return the cursor, and its place, that an event on a table or picture means. */
  const target = (event, parts = "[data-pick]") => {
    const part = event.target.closest?.(parts);
    const spot = part && spotOf(part, event);
    if (!spot) return null;
    const rule = numbers(part.querySelector("[data-rule]").dataset.rule);
    return [part.dataset.pick, inLayer(part, nearest(rule, sizesOf(part.dataset.pick), spot))];
  };

  // Painting: a drag over a table tells which cells it has crossed, from the last one that it told on.
  let brush = null; // the table that is painted on, and the last cell
  const paintedCell = (event) => {
    const under = document.elementFromPoint(event.clientX, event.clientY);
    const part = under?.closest?.("[data-paint]");
    const cell = part && spotOf(part, { target: under });
    if (!cell) return null;
    return [part, cell.map((n, axis) => n + numbers(part.dataset.paint)[axis])];
  };
  const paintTo = (event) => {
    const [part, cell] = paintedCell(event) ?? [];
    if (part !== brush.part || String(cell) === String(brush.cell)) return;
    const crossed = brush.cell ? [brush.cell, ...cellsBetween(brush.cell, cell)] : [cell];
    brush.cell = cell;
    tell(part, "paint", crossed, { moving: true }); // each counts: none makes way for a newer one
  };

  // Players: a button, a box and a slider know the step that they lead to.
  let clock = 0;
  const playing = () => root.querySelector("[data-play][aria-pressed=true]");
  const stop = () => {
    clearInterval(clock);
    playing()?.setAttribute("aria-pressed", "false");
  };
  const play = (name, button) => {
    if (indexOf(name) >= countOf(name) - 1) choose(name, placeAt(name, 0));
    button.setAttribute("aria-pressed", "true");
    clock = setInterval(() => {
      if (!button.isConnected) return stop();
      const next = indexOf(name) + 1;
      choose(name, placeAt(name, next));
      if (next >= countOf(name) - 1) stop();
    }, button.dataset.play);
  };
  const go = (node) => {
    const wasPlaying = node === playing();
    stop();
    if (node.dataset.play && !wasPlaying) play(node.dataset.go, node);
    else if (!node.dataset.play && node.value !== "" && node.validity.valid) choose(node.dataset.go, placeOn(node));
  };
  /** Return the place that a button or box of a player leads to. */
  const placeOn = ({ value, dataset: { go: name, by, axis } }) => {
    if (by) return placeAt(name, indexIn(chosenOf(name), sizesOf(name)) + Number(by));
    if (axis === undefined) return placeAt(name, Number(value));
    return chosenOf(name).map((n, k) => (k === Number(axis) ? Number(value) : n));
  };

  // Plots: a point is told to Python, or leads to the step whose point is nearest along x.
  const pathOf = (plot) => pointsOf(plot.querySelector(":scope > [data-points]"));
  const tellPoint = (plot, at) => {
    const sizes = numbers(plot.dataset.size);
    moveOf(plot, "point", at.map((n, axis) => clamp(n, 0, sizes[axis])));
  };
  const pickOn = (plot, event) => {
    const area = plot.getBoundingClientRect();
    const [width, height] = numbers(plot.dataset.size);
    const x = ((event.clientX - area.left) * width) / area.width;
    if (!plot.dataset.chooses) return tellPoint(plot, [x, ((event.clientY - area.top) * height) / area.height]);
    const away = pathOf(plot).map((at) => Math.abs(at[0] - x));
    stop();
    choose(plot.dataset.chooses, [away.indexOf(Math.min(...away))]);
  };
  const keyOnPlot = (plot, event) => {
    const [down, right] = ARROWS[event.key] ?? [0, 0];
    const name = plot.dataset.chooses;
    if (name) {
      const to = { Home: 0, End: Infinity }[event.key] ?? indexOf(name) + right - down;
      if (!(event.key in ARROWS) && event.key !== "Home" && event.key !== "End") return;
      event.preventDefault();
      choose(name, placeAt(name, to));
    } else if (down || right) {
      event.preventDefault();
      const [x, y] = pathOf(plot)[0];
      tellPoint(plot, [x + KEY_UNITS * right, y + KEY_UNITS * down]);
    }
  };

  // The pointer.
  let rested = "";
  on("pointerdown", (event) => {
    newStroke();
    const plot = event.target.closest("[data-size]");
    if (plot && event.button === 0) {
      plot.setPointerCapture(event.pointerId);
      plot.focus({ preventScroll: true });
      event.preventDefault();
      pickOn(plot, event);
    }
    const [part] = paintedCell(event) ?? [];
    if (part && event.button === 0) {
      brush = { part, cell: null };
      event.preventDefault();
      part.focus({ preventScroll: true }); // for the keys of undo
      paintTo(event);
    }
  });
  on("pointermove", (event) => {
    if (event.target.hasPointerCapture(event.pointerId) && event.target.dataset.size) return pickOn(event.target, event);
    if (brush && event.buttons) return paintTo(event);
    brush = null;
    // A browser tells of a resting pointer too, whenever the page has changed: a key wins over it.
    const isResting = rested === `${event.clientX},${event.clientY}`;
    rested = `${event.clientX},${event.clientY}`;
    const found = target(event, "[data-pick]:not([data-still])");
    if (found && !isResting) point(...found);
  });
  on("pointerup", () => (brush = null));
  on("pointercancel", () => (brush = null)); // as where a browser takes a touch to scroll
  on("pointerout", (event) => {
    const part = event.target.closest("[data-pick]");
    if (part && !part.contains(event.relatedTarget)) point(part.dataset.pick, null);
  });
  // A cell that is removed under the pointer says nothing when the pointer leaves it.
  const lookAt = (event) => {
    const [over] = event.composedPath(); // also inside a shadow root, as in marimo
    const name = root.contains(over) && over.closest("[data-pick]")?.dataset.pick;
    for (const other of pointed.keys()) if (other !== name) point(other, null);
  };
  window.addEventListener("pointerover", lookAt, { signal: ending.signal });
  on("click", (event) => {
    const found = event.target.closest("[data-paint]:not(.ck-choose)") ? null : target(event);
    if (found) {
      choose(...found);
      (cellAt(event.target.closest(".ck-choose"), found[1]) ?? event.target).focus?.({ preventScroll: true });
    }
    const pressed = event.target.closest("button");
    if (!pressed || pressed.ariaDisabled === "true") return;
    if (pressed.value === "copy") copy(pressed);
    else if (pressed.dataset.go) go(pressed);
    else tell(pressed, "press", pressed.value);
    if (pressed.dataset.then) find(pressed.dataset.then)?.querySelector("input, select, button")?.focus();
  });

  // Controls.
  let isFocusByPointer = false;
  on("pointerdown", (event) => {
    const box = event.target.closest("[data-cell]");
    isFocusByPointer = box !== null && box !== root.getRootNode().activeElement;
  });
  on("pointerup", (event) => {
    // A click selects the number, so that what is typed next takes its place.
    if (isFocusByPointer && event.target === root.getRootNode().activeElement) event.target.select();
    isFocusByPointer = false;
  });
  on("input", (event) => {
    const node = event.target;
    const { kind } = keyOf(node).dataset;
    accept(node);
    edit();
    if (node.dataset.go) go(node);
    else if (kind === "numbers") tell(node, "edit", { cell: numbers(node.dataset.cell), text: node.value });
    else if (kind === "slider") moveOf(node, "set", Number(node.value));
    else if (kind === "entry" || kind === "choice") tell(node, "set", node.value);
    else if (kind === "select") tell(node, "set", Number(node.value));
    else if (kind === "check") tell(node, "set", node.checked);
    else if (kind === "file") readFile(node);
  });
  const readFile = async (node) => {
    const [file] = node.files;
    if (!file) return;
    const data = await file.arrayBuffer();
    tell(node, "file", file.name, { buffers: [data] });
    node.value = ""; // the same file may be opened again
  };
  on("paste", (event) => {
    const text = event.clipboardData.getData("text");
    if (!event.target.dataset.cell || !/\S[\s,;]+\S/.test(text)) return; // one number: an ordinary paste
    event.preventDefault();
    tell(event.target, "paste", { cell: numbers(event.target.dataset.cell), text });
  });
  on("copy", (event) => {
    const text = String(getSelection());
    if (!text.includes("−")) return;
    event.preventDefault();
    event.clipboardData.setData("text", text.replaceAll("−", "-")); // a minus sign is no Python
  });
  on("toggle", ({ target: node }) => {
    const { told } = node.dataset; // what Python says, as text
    if (told !== undefined && told !== String(node.open)) tell(node, "set", node.open);
  }, { capture: true }); // it does not bubble
  /** Make a box the Tab stop of a grid that has only one. */
  const stopAt = (box) => {
    if (!box.dataset.cell || !box.hasAttribute("tabindex")) return;
    keyOf(box).querySelector("[data-cell]:not([tabindex])")?.setAttribute("tabindex", -1);
    box.removeAttribute("tabindex");
  };
  on("focusin", (event) => {
    newStroke();
    stopAt(event.target);
    const grid = keyOf(event.target);
    if (grid?.dataset.focus !== undefined) moveOf(event.target, "focus", { cell: numbers(event.target.dataset.cell) });
  });
  on("focusout", ({ target: node }) => {
    if (node.type === "number") node.value = node.getAttribute("value");
  });
  const copy = async (pressed) => {
    const pre = keyOf(pressed).querySelector("pre");
    getSelection().selectAllChildren(pre);
    // Without a secure context there is no clipboard, but the older command works.
    const done = await (navigator.clipboard?.writeText(pre.textContent) ?? Promise.reject(new Error("no clipboard")))
      .then(() => true, () => document.execCommand("copy"));
    keyOf(pressed).querySelector("[role=status]").textContent = done ? "copied" : "selected: copy it with your keys";
  };

  // Keys.
  on("keydown", (event) => {
    if (!isOurs(event)) return;
    event.stopPropagation();
    const node = event.target;
    const isTyping = node.matches("input[type=text]");
    const travel = historyOf(event);
    if (travel && !isTyping) {
      event.preventDefault();
      const button = root.querySelector(".ck-history button");
      if (button) tell(button, "press", travel);
      return;
    }
    if (event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
    if (node.dataset.size) return keyOnPlot(node, event);
    if (isTyping && event.key === "Escape") return restore(node);
    if (node.dataset.cell) return keyInBox(node, event);
    const part = node.closest("[data-pick]");
    const isPressed = node.tagName === "TD" && (event.key === "Enter" || event.key === " ");
    const step = isPressed ? [0, 0] : ARROWS[event.key];
    if (!step || !part) return;
    event.preventDefault();
    const name = part.dataset.pick;
    if (isPressed && part.dataset.paint !== undefined) {
      newStroke();
      return tell(part, "paint", [chosenOf(name)]);
    }
    const next = chosenOf(name).slice(0, 2).map((n, axis) => n + step[axis]);
    const at = inside(inLayer(part, next), sizesOf(name));
    choose(name, at);
    if (node.tagName === "TD") cellAt(part, at).focus();
  });
  /** Take back what was typed since the box has the focus. */
  const restore = (box) => {
    box.value = box.getAttribute("value");
    box.select();
    accept(box);
    tell(box, "restore", box.dataset.cell && { cell: numbers(box.dataset.cell) });
  };
  /** Up and down change the number; Enter leads below, left and right from an end of the text beside. */
  const keyInBox = (box, event) => {
    const [i, j] = numbers(box.dataset.cell);
    const [down, right] = ARROWS[event.key] ?? [0, 0];
    if (down) {
      event.preventDefault();
      edit();
      return tell(box, "step", { cell: [i, j], by: -down });
    }
    if (event.key === "Enter") return focusBox(box, [i + 1, j], event);
    const isAtEnd = right < 0 ? box.selectionStart === 0 : box.selectionEnd === box.value.length;
    if (right && isAtEnd) focusBox(box, [i, j + right], event);
  };
  const focusBox = (box, [i, j], event) => {
    event.preventDefault();
    const next = keyOf(box).querySelector(`[data-cell="${i},${j}"]`) ?? besideRow(box, i, j);
    next?.focus();
    next?.select();
  };
  /** Return the box at the other end of the next row or the one before, in reading order. */
  const besideRow = (box, i, j) => {
    const all = [...keyOf(box).querySelectorAll("[data-cell]")];
    const isColumn = j >= 0 && all.some((other) => numbers(other.dataset.cell)[1] === j);
    return isColumn ? null : all[all.indexOf(box) + (j < 0 ? -1 : 1)];
  };

  // What Python sends.
  const waiting = new Map(); // key -> HTML for after the next painting, and what is newer than it
  let [flushing, resting] = [0, 0];
  /** Keep the focus where it was, or where that was, if it is gone. */
  const keepFocus = (focused, around) => {
    if (focused.isConnected) return stopAt(focused);
    const left = around.map((key) => find(key)?.querySelector(FOCUSABLE)).find((node) => node);
    left?.focus({ preventScroll: true });
  };
  const apply = (patches) => {
    const focused = root.contains(root.getRootNode().activeElement) && root.getRootNode().activeElement;
    const around = []; // keys, from the inside
    for (let node = focused && keyOf(focused); node; node = keyOf(node.parentNode)) around.push(node.dataset.key);
    for (const [key, [fresh, isNewer]] of patches) {
      const node = find(key);
      const pick = node?.dataset.pick;
      if (!node) continue;
      const to = parse(fresh);
      if (node.dataset.kind === "cursor" && isNewer(node)) to.dataset.at = node.dataset.at;
      if (to.dataset.chosen !== undefined && !isNewer(cursor(lastChosen) ?? node)) lastChosen = null;
      const isKept = (part) => isNewer(part) || isNewer(cursor(pick ?? part.dataset?.go ?? "") ?? keyOf(part));
      patch(node, to, isKept);
    }
    nameCells();
    place();
    if (focused) keepFocus(focused, around);
  };
  const flush = () => {
    flushing = 0;
    const patches = [...waiting];
    waiting.clear();
    apply(patches);
    repaint();
  };
  /** Paint pictures that a patch has just made, or whose pixels have changed. */
  const repaint = (changed = []) => {
    for (const [key, data] of painted) {
      const canvas = canvasOf(key);
      if (!canvas) continue;
      const size = String([canvas.width, canvas.height]); // setting it clears the canvas
      if (changed.includes(key) || canvas.shown !== data || canvas.size !== size) paint(canvas, data);
      [canvas.shown, canvas.size] = [data, size];
    }
  };
  const receive = (message, buffers) => {
    const teller = message.ref && heard(message);
    message.pixels.forEach((key, k) => painted.set(key, buffers[k]));
    Object.entries(message.series).forEach(([key, text], k) => {
      const first = message.pixels.length + 2 * k;
      series.set(key, seriesOf(text, buffers[first], buffers[first + 1]));
    });
    clearTimeout(resting);
    if (message.partial) resting = setTimeout(() => post({ rest: true }), REST_AFTER);
    const isNewer = since(message);
    const patches = Object.entries(message.patches).map(([key, fresh]) => [key, [fresh, isNewer]]);
    if (message.patches["whole panel"]) waiting.clear();
    for (const [key] of patches) waiting.delete(key); // the newest stands last: it may be around others
    if (message.refused && teller?.type === "text") refuse(teller, message.refused);
    if (message.ref) next(message);
    repaint(message.pixels);
    // What is set in one task is painted together: the rest of an answer waits until what came
    // first is on show.
    if (message.ref === undefined) {
      apply(patches);
      flushing ||= requestAnimationFrame(() => setTimeout(flush));
      return;
    }
    for (const [key, fresh] of patches) waiting.set(key, fresh);
    // What a box was told in answer to its text is compared with what it is told next.
    if (!flushing || teller?.type === "text") flush();
  };

  root.innerHTML = html;
  nameCells();
  place();
  repaint();
  const end = () => {
    stop();
    clearTimeout(resting);
    ending.abort();
  };
  return { receive, follow, end, post };
}

export default () => {
  const views = new Set();
  let isLate = false; // whether `page` is older than what is on show
  return {
    initialize({ model }) {
      model.on("msg:custom", (message, buffers) => {
        isLate = true;
        for (const view of views) view.receive(message, buffers);
      });
    },
    render({ model, el }) {
      const view = show(model, el, (...chosen) => views.forEach((other) => other !== view && other.follow(...chosen)));
      views.add(view);
      if (isLate) view.post({ refresh: true });
      return () => {
        views.delete(view);
        view.end();
      };
    },
  };
};
