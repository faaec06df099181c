"""What a browser sends, read and checked: an event of a node becomes an edit.

An event that its node cannot have sent, such as one that comes late, edits nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from convkit.ui.cursors import Cell, Edits
from convkit.ui.html import box_texts
from convkit.ui.nodes import Node
from convkit.ui.store import Edit, Fields
from convkit.ui.typed import read_block, read_number

MAX_PASTED = 4096
"""The most numbers that can be pasted at once."""
MAX_PAINTED = 4096
"""The most cells of one message of a stroke."""
Buffers = Sequence[Any]


def edit_of(node: Node, event: str, value: Any, buffers: Buffers = ()) -> Edit | None:
    """Return what an event edits, or None if nothing.

    Raises
    ------
    InvalidInput
        If a text cannot be read, perhaps because it is not finished.
    ConvkitError
        As the function that the node edits with does.

    Examples
    --------
    >>> from convkit.ui import nodes
    >>> edit_of(nodes.slider("size", 1, 4, 2, edits="size"), "set", 3).fields(None)
    {'size': 3}
    """
    read = READERS.get(node.kind)
    return None if read is None else read(node, event, value, buffers)


def _edit(edits: Edits | None, *values: Any, group: str = "") -> Edit | None:
    """Return what a control edits, given the values it was set to; None if it edits nothing."""
    if edits is None:
        return None
    if isinstance(edits, str):
        return Edit({edits: values[0]}, group)
    made = edits(*values)
    return made if isinstance(made, Edit) else Edit(made, group)


def _set(node: Node, event: str, value: Any, buffers: Buffers) -> Edit | None:
    """Return what setting a control to a value edits."""
    if event != "set" or not CAN_BE[node.kind](node, value):
        return None
    meant = node.options[value] if node.kind == "select" else value
    return _edit(node.edits, meant, group=node.key if node.kind in GROUPED else "")


def _is_whole(value: Any, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


CAN_BE: dict[str, Callable[[Node, Any], bool]] = {
    "select": lambda node, k: _is_whole(k, 0, len(node.options) - 1),
    "choice": lambda node, name: isinstance(name, str) and name in node.options,
    "check": lambda node, is_on: isinstance(is_on, bool),
    "section": lambda node, is_open: isinstance(is_open, bool),
    "slider": lambda node, n: _is_whole(n, node.low, node.high),
    "entry": lambda node, text: isinstance(text, str) and not node.disabled,
}
"""What each kind of control can be set to."""
GROUPED = ("slider", "entry")
"""Controls that are set many times in one stroke."""


def _entry(node: Node, event: str, value: Any, buffers: Buffers) -> Edit | None:
    if event == "restore":
        return Edit({}, node.key, takes_back=True)
    return _set(node, event, value, buffers)


def _button(node: Node, event: str, value: Any, buffers: Buffers) -> Edit | None:
    return _edit(node.edits) if event == "press" else None


def _file(node: Node, event: str, value: Any, buffers: Buffers) -> Edit | None:
    match event, value, buffers:
        case "file", str(name), [data]:
            writable = name.encode("utf-8", "replace").decode("utf-8")  # half a pair is not
            return _edit(node.edits, writable, bytes(data))
    return None


def _cursor(node: Node, event: str, value: Any, buffers: Buffers) -> Edit | None:
    cursor = node.cursor
    match event, value:
        case "point", None:
            return _edit(cursor.point, None, group=node.key)
        case "choose" | "point", [*told]:
            at = cursor.read(told)
            return None if at is None else _edit(getattr(cursor, event), at, group=node.key)
    return None


def _plot(node: Node, event: str, value: Any, buffers: Buffers) -> Edit | None:
    match event, value:
        case "point", [int() | float() as x, int() | float() as y]:
            width, height = node.size
            if 0 <= x <= width and 0 <= y <= height:
                return _edit(node.edits, float(x), float(y), group=node.key)
    return None


def _table(node: Node, event: str, value: Any, buffers: Buffers) -> Edit | None:
    """Return what dragging over cells paints; those outside the array are left out."""
    if event != "paint" or not isinstance(value, list):
        return None
    rows, columns = node.part.inside
    cells = filter(_is_cell, value[:MAX_PAINTED])
    painted = [(i, j) for i, j in cells if i in rows and j in columns]
    return _edit(node.edits, painted, group=node.key) if painted else None


def _is_cell(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(type(n) is int for n in value)


# Grids of number boxes: an edit says which cell becomes which number


def _numbers(node: Node, event: str, value: Any, buffers: Buffers) -> Edit | None:
    match value:
        case {"cell": [*told]} if _is_cell(told) and _inside(told, node.values):
            cell = (told[0], told[1])
        case _:
            return None
    match event, value:
        case "focus", _:
            return _edit(node.focus, cell, group=node.key)
        case "paste", {"text": str(text)}:
            block = read_block(node.name, text, node.values.dtype, MAX_PASTED)
            return _array_edit(node, "", lambda values: _pasted(values, cell, block))
        case "edit", {"text": str(text)}:
            return _typed(node, cell, text)
        case "restore", _:
            return Edit({}, _name(node, cell), takes_back=True)
        case "step", {"by": int(by)} if by in (-1, 1):
            return _array_edit(node, _name(node, cell), lambda values: _stepped(values, cell, by))
    return None


def _name(node: Node, cell: Cell) -> str:
    return f"{node.symbol}[{cell[0]}, {cell[1]}]"


def _inside(cell: Sequence[int], values: Tensor) -> bool:
    return all(0 <= n < size for n, size in zip(cell, values.shape, strict=True))


def _typed(node: Node, cell: Cell, text: str) -> Edit | None:
    values = node.values
    if text == box_texts(values, node.is_compact)[cell[0]][cell[1]]:
        return Edit({})  # rounded: the number behind it is exact
    name = _name(node, cell)
    number = read_number(name, text, values.dtype, values[cell].item())
    return _array_edit(node, name, lambda values: _with(values, cell, number))


def _array_edit(node: Node, group: str, change: Callable[[Tensor], Tensor | None]) -> Edit | None:
    """Return the edit of a field as it is when the edit arrives; of another size it is late."""
    edits = node.edits
    if callable(edits):
        new = change(node.values)
        return None if new is None else _edit(edits, new, group=group)
    field = str(edits)

    def fields(state: Any) -> Fields:
        new = change(getattr(state, field))
        return {} if new is None else {field: new}

    return Edit(fields, group)


def _with(values: Tensor, cell: Cell, number: float) -> Tensor | None:
    if not _inside(cell, values):
        return None
    new = values.clone()
    new[cell] = number
    return new


def _stepped(values: Tensor, cell: Cell, by: int) -> Tensor | None:
    """Return the array with the number of a cell one step up or down: 1, or 0.1 of a fraction."""
    if not _inside(cell, values):
        return None
    number = values[cell].item()
    step = 1.0 if number == round(number) else 0.1
    return _with(values, cell, round(number + by * step, 6))


def _pasted(values: Tensor, cell: Cell, block: Tensor) -> Tensor | None:
    """Return the array filled from a cell on; a block in the first box replaces it all."""
    if cell == (0, 0):
        return block
    if not _inside(cell, values):
        return None
    new = values.clone()
    part = new[cell[0] :, cell[1] :]
    rows, columns = (min(pair) for pair in zip(part.shape, block.shape, strict=True))
    part[:rows, :columns] = block[:rows, :columns]
    return new


READERS: dict[str, Callable[[Node, str, Any, Buffers], Edit | None]] = {
    **dict.fromkeys(CAN_BE, _set),
    "entry": _entry,
    "button": _button,
    "file": _file,
    "cursor": _cursor,
    "plot": _plot,
    "table": _table,
    "numbers": _numbers,
}
"""How the events of each kind of node are read."""
