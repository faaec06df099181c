function render({ model, el }) {
  const view = new AbortController();
  el.classList.add("ck-part", "ck-numbers");
  const table = make("table", { tabindex: "-1" }); // a click leads the keys into the panel
  el.append(table);
  const point = pointer(model);
  let built = ""; // for which shape there are cells
  let numbered = ""; // for which place in the array they are numbered
  let cells = []; // the <td> of each number, in reading order
  let framed = [];
  let stroke = null; // the cell painted last, while a button is down
  let started = 0; // when the stroke began: its name, also beside another view's

  /** Make the cells, and number them; where the table only moves over the array, they stay. */
  const build = () => {
    const [rows, columns] = model.get("shape");
    const headers = model.get("headers");
    if (built !== String([rows, columns, headers])) {
      built = String([rows, columns, headers]);
      table.replaceChildren(...Array.from({ length: rows + (headers ? 1 : 0) }, () => make("tr")));
      for (const [i, row] of [...table.rows].entries()) {
        if (headers) row.append(make("th", { scope: i ? "row" : "col" }));
        for (let j = 0; j < columns; j++) row.append(headers && !i ? make("th", { scope: "col" }) : makeCell());
      }
      cells = [...table.querySelectorAll("td")];
      framed = [];
      numbered = "";
    }
    number(columns, headers);
  };
  const makeCell = () => {
    const cell = make("td");
    cell.append("");
    return cell;
  };
  const number = (columns, headers) => {
    const [top, left] = model.get("first");
    const now = String([top, left, columns, headers, model.get("padded")]);
    if (numbered === now) return;
    numbered = now;
    cells.forEach((cell, k) => Object.assign(cell.dataset, { i: top + Math.floor(k / columns), j: left + (k % columns) }));
    if (!headers) return;
    // Lines of the padding have no number: they are not in the array.
    const isInside = (cell) => cell && !model.get("padded").includes(cells.indexOf(cell));
    const rows = [...table.rows].slice(1).map((row) => [...row.cells]);
    rows.forEach(([name, ...row], i) => (name.textContent = row.some(isInside) ? top + i : ""));
    const names = [...table.rows[0].cells].slice(1);
    names.forEach((name, j) => (name.textContent = rows.some((row) => isInside(row[j + 1])) ? left + j : ""));
  };

  const paint = () => {
    const [levels, palette, inks] = ["levels", "palette", "inks"].map((name) => typed(model.get(name), Uint8Array));
    const [texts, padded, marked] = ["texts", "padded", "marked"].map((name) => model.get(name));
    if (cells.length !== levels.length) return;
    cells.forEach((cell, k) => {
      const at = 4 * levels[k];
      const background = `rgb(${palette[at]}, ${palette[at + 1]}, ${palette[at + 2]})`;
      if (cell.firstChild.data !== texts[k]) cell.firstChild.data = texts[k];
      if (cell.dataset.colour !== background) {
        cell.dataset.colour = cell.style.backgroundColor = background;
        cell.style.color = inks[levels[k]] ? "#fff" : "#000";
      }
      cell.classList.toggle("ck-pad", padded.includes(k));
      cell.classList.toggle("ck-different", marked.includes(k));
    });
  };

  const cellAt = (i, j) => {
    const [row, column] = [i - model.get("first")[0], j - model.get("first")[1]];
    const [rows, columns] = model.get("shape");
    return row >= 0 && row < rows && column >= 0 && column < columns ? cells[row * columns + column] : null;
  };
  const place = () => {
    for (const cell of framed) {
      cell.classList.remove("ck-framed");
      delete cell.dataset.weight;
      delete cell.dataset.edge;
    }
    const at = shownCell(model);
    framed = [];
    if (!at.length) return;
    const [start, stride, dilation, size] = ["start", "stride", "dilation", "window"].map((name) => model.get(name));
    for (let a = 0; a < size[0]; a++) {
      for (let b = 0; b < size[1]; b++) {
        const cell = cellAt(start[0] + at[0] * stride[0] + a * dilation[0], start[1] + at[1] * stride[1] + b * dilation[1]);
        if (!cell) continue;
        cell.classList.add("ck-framed");
        const weight = model.get("weights")[a * size[1] + b];
        if (weight !== undefined) cell.dataset.weight = `×${weight}`;
        else if (String(dilation) === "1,1") cell.dataset.edge = edges(a, size[0], "tb") + edges(b, size[1], "lr");
        framed.push(cell);
      }
    }
  };

  /** Return which edges of a window, of two that have these letters, position n of its axis is at. */
  const edges = (n, count, [low, high]) => (n === 0 ? low : "") + (n === count - 1 ? high : "");

  /** One Tab stop for the whole output: the chosen cell. */
  const name = () => {
    table.style.setProperty("--columns", model.get("columns_in_line"));
    table.style.setProperty("--chip-chars", Math.max(2, ...model.get("weights").map((text) => text.length + 1)));
    table.style.setProperty("--chars", Math.max(3, ...model.get("texts").map((text) => text.length)));
    const isGrid = model.get("role") === "output" && model.get("pick") !== "none";
    table.setAttribute("role", isGrid ? "grid" : "table");
    table.setAttribute("aria-label", model.get("label"));
    table.className = `ck-${model.get("role")} ck-${model.get("pick")}`;
    const [row, column] = model.get("cell");
    for (const cell of cells) {
      const { i, j } = cell.dataset;
      cell.setAttribute("role", isGrid ? "gridcell" : "cell");
      if (!isGrid) continue;
      const chosen = Number(i) === row && Number(j) === column;
      const different = cell.classList.contains("ck-different") ? ", different" : "";
      cell.setAttribute("aria-label", `${model.get("symbol")}[${i}, ${j}] = ${cell.textContent}${different}`);
      cell.setAttribute("aria-selected", chosen);
      cell.tabIndex = chosen ? 0 : -1;
    }
  };
  const draw = () => {
    const focused = cells.includes(document.activeElement);
    build();
    paint();
    place();
    name();
    if (focused) cellAt(...model.get("cell"))?.focus();
  };

  const picked = (event) => {
    const cell = document.elementFromPoint(event.clientX, event.clientY)?.closest("td");
    return table.contains(cell) ? [Number(cell.dataset.i), Number(cell.dataset.j)] : null;
  };
  const outputOf = (spot) => {
    if (model.get("role") === "output") return spot;
    const span = model.get("window").map((size, axis) => model.get("dilation")[axis] * (size - 1) + 1);
    return nearestCell(model, spot, span);
  };
  const brush = (event) => {
    const spot = picked(event);
    if (!spot || String(spot) === stroke) return;
    stroke = String(spot);
    send(model, { paint: [spot], stroke: started });
  };
  table.addEventListener("pointerdown", (event) => {
    if (model.get("pick") !== "paint" || event.button !== 0) return;
    event.preventDefault();
    table.focus({ preventScroll: true });
    table.setPointerCapture(event.pointerId);
    started = Date.now();
    stroke = "";
    brush(event);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    table.addEventListener(end, () => (stroke = null));
  }
  table.addEventListener("pointermove", (event) => {
    if (stroke !== null) brush(event);
    else if (model.get("pick") === "hover") point(picked(event) && outputOf(picked(event)));
  });
  table.addEventListener("pointerleave", () => model.get("pick") === "hover" && point(null));
  table.addEventListener("click", (event) => {
    const spot = ["click", "hover"].includes(model.get("pick")) && picked(event);
    if (spot) choose(model, outputOf(spot));
  });
  guardKeys(table).addEventListener("keydown", (event) => {
    if (!(event.key in ARROWS) || !cells.includes(event.target)) return;
    event.preventDefault();
    choose(model, neighbour(model, event.key));
    cellAt(...model.get("cell"))?.focus();
  });

  // At "change", not at each trait's own event: once for all traits of one message.
  model.on("change", draw);
  view.signal.addEventListener("abort", () => model.off("change", draw));
  draw();
  return () => view.abort();
}

export default { render };
