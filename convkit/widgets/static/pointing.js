const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** Return the output cell whose window is centred closest to an input cell. */
function nearestCell(model, place, span) {
  return place.map((position, axis) => {
    const away = position - model.get("start")[axis] - (span[axis] - 1) / 2;
    return clamp(Math.round(away / model.get("stride")[axis]), 0, model.get("cells")[axis] - 1);
  });
}

/** Return the cell that an arrow key leads to. */
function neighbour(model, key) {
  const from = model.get("cell").length ? model.get("cell") : [0, 0];
  return from.map((n, axis) => clamp(n + ARROWS[key][axis], 0, model.get("cells")[axis] - 1));
}

/** Choose a cell: the frame stays there when the pointer has left. */
function choose(model, cell) {
  model.set({ cell, pointed: [] });
  model.save_changes();
}

const MOST_UNANSWERED = 3; // one is answered while the next are on their way

/** Return a function that tells of the cell under the pointer, null for none, once per frame. */
function pointer(model) {
  let cell = null;
  let unanswered = 0;
  let isLate = false;
  const tellPython = () => {
    isLate = unanswered === MOST_UNANSWERED;
    if (isLate) return;
    unanswered += 1;
    send(model, { pointed: model.get("pointed") }, [], () => {
      unanswered -= 1;
      if (isLate) tellPython();
    });
  };
  const tell = oncePerFrame(() => {
    if (String(model.get("pointed")) === String(cell ?? [])) return;
    model.set("pointed", cell ?? []);
    tellPython();
  });
  return (next) => {
    cell = next;
    tell();
  };
}

const shownCell = (model) => (model.get("pointed").length ? model.get("pointed") : model.get("cell"));
