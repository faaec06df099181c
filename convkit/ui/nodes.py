"""What a view returns: a tree of plain nodes, each a kind, a name, properties and what it edits.

A node holds no widget and no HTML, so a test compares it as a value. `html.py` writes it for the
live panel and for a saved notebook, `text.py` in words; `events.py` reads what the browser sends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from markupsafe import Markup
from torch import Tensor

from convkit import formatting
from convkit.errors import check_choice
from convkit.ops import Pair
from convkit.ui.cursors import Cell, Cursor, Edits, Frame, Part
from convkit.ui.theme import Scale
from convkit.ui.typed import read_number, read_pair, write_pair

MAX_TABLE_SIDE = 16
"""The most rows or columns that `array` shows as numbers."""
COMPACT_SIDE = 5
"""From so many rows or columns on, the boxes of `numbers` are small, and one Tab stop together."""


@dataclass(frozen=True)
class Node:
    """One element of a view.

    Attributes
    ----------
    kind : str
        What it is: "table", "slider" ...
    name : str
        Its accessible name, unique in the panel; empty for what has none.
    props : mapping
        Its properties, which are attributes of the node too.
    children : tuple of Node
        What it contains.
    edits : field, callable or None
        What it edits.
    key : str
        Which element of the page it is; made by `keys.keyed`.

    Examples
    --------
    >>> node = row(text("Y ="), text("3"))
    >>> [each.words for each in node if each.kind == "text"]
    ['Y =', '3']
    """

    kind: str
    name: str = ""
    props: Mapping[str, Any] = field(default_factory=dict)
    children: tuple[Node, ...] = ()
    edits: Edits | None = None
    key: str = ""

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["props"][name]
        except KeyError:
            raise AttributeError(f"a {self.__dict__.get('kind')} has no {name}") from None

    def __iter__(self) -> Iterator[Node]:
        """Yield this node and all below it, in reading order."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))


# Layout and words


def box(
    *children: Node | None,
    css: str = "",
    name: str = "",
    variables: Mapping[str, float] | None = None,
) -> Node:
    """Return an element around others, for a style sheet; None is left out.

    Parameters
    ----------
    css : str
        Classes, without their prefix "ck-".
    name : str
        Its name in the panel.
    variables : mapping, optional
        Numbers for the style sheet: {"rows": 6} is ``var(--rows)`` there.

    Examples
    --------
    >>> box(text("a"), None, css="row").children[0].words
    'a'
    """
    props = {"css": css, "variables": variables or {}}
    return Node("box", name, props, tuple(c for c in children if c is not None))


def column(*children: Node | None) -> Node:
    """Return nodes below each other.

    Examples
    --------
    >>> [node.words for node in column(text("first"), text("second"), None).children]
    ['first', 'second']
    """
    return box(*children, css="column")


def row(*children: Node | None) -> Node:
    """Return nodes side by side, in lines that wrap.

    Examples
    --------
    >>> [node.words for node in row(text("left"), text("right")).children]
    ['left', 'right']
    """
    return box(*children, css="row")


def together(*children: Node | None) -> Node:
    """Return nodes side by side among whose tables one cell is chosen; see `Cursor.is_chosen`.

    Examples
    --------
    >>> together(text("left"), text("right")).kind
    'together'
    """
    return Node("together", children=tuple(c for c in children if c is not None))


def titled(title: str, *children: Node | None, hue: str = "") -> Node:
    """Return nodes below a title, with a square of a colour of `theme.COLOURS` before it.

    Examples
    --------
    >>> titled("output Y", text("19"), hue="output").children[0]
    Node(kind='heading', name='', props={'words': 'output Y', 'hue': 'output'}, ...)
    """
    return box(heading(title, hue), *children, css="titled")


def heading(title: str, hue: str = "") -> Node:
    """Return a title, with a square of a colour of `theme.COLOURS` before it.

    Examples
    --------
    >>> heading("kernel K", hue="kernel").hue
    'kernel'
    """
    return Node("heading", props={"words": title, "hue": hue})


def labelled(node: Node) -> Node:
    """Return a control with its name before it, and a slider's value in words behind it.

    A control that shows its name itself is returned as it is.

    Examples
    --------
    >>> line = labelled(slider("size", 1, 4, 2, "size", value_text="2 cells"))
    >>> [node.words for node in (line.children[0], line.children[2])]
    ['size', '2 cells']
    """
    if node.kind in ("check", "entry", "button", "file"):
        return node
    label = Node("label", props={"words": node.name, "of": node.kind})
    value = node.props.get("value_text")
    said = Node("label", props={"words": value, "of": node.kind}) if value else None
    return box(label, node, said, css="row")


def section(
    title: str, *children: Node | None, edits: Edits | None = None, is_open: bool = False
) -> Node:
    """Return nodes that a title shows and hides; None is left out.

    Parameters
    ----------
    edits : field or callable, optional
        What opening and closing it edits, where the view depends on that.
    is_open : bool
        Whether it is open at first.

    Examples
    --------
    >>> section("torch code", code("code", "Y = corr2d(X, K)")).title
    'torch code'
    """
    props = {"title": title, "is_open": is_open}
    shown = tuple(c for c in children if c is not None)
    return Node("section", f"{title} section", props, shown, edits)


def status(words: str, *, is_error: bool = False) -> Node:
    """Return the status line, which also shows errors, and what the panel is busy with.

    Examples
    --------
    >>> status("Output 2 × 2.").words
    'Output 2 × 2.'
    """
    props = {"words": words, "is_error": is_error, "is_busy": False}
    return Node("status", "status line", props)  # no name that a field can have


def history() -> Node:
    """Return buttons for undo, redo and reset.

    Examples
    --------
    >>> history().can_undo
    False
    """
    return Node("history", "undo and redo", {"can_undo": False, "can_redo": False})


def header(words: str, *controls: Node | None, is_error: bool = False) -> Node:
    """Return a panel's first line: the status, controls, and the history.

    Examples
    --------
    >>> [node.kind for node in header("Output 2 × 2.").children]
    ['status', 'history']
    """
    return box(status(words, is_error=is_error), *controls, history(), css="header")


def text(words: str, css: str = "") -> Node:
    """Return a line of words; line breaks stay.

    Styles for every panel are "caption" (small and grey) and "mono" (monospaced).

    Examples
    --------
    >>> text("K[0, 1]", "mono").css
    'mono'
    """
    return Node("text", props={"words": words, "css": css})


def caption(words: str) -> Node:
    """Return a line of small words.

    Examples
    --------
    >>> caption("size").css
    'caption'
    """
    return text(words, "caption")


def markup(content: Markup, words: str = "", css: str = "") -> Node:
    """Return HTML, and what it says in words for text/plain.

    Raises
    ------
    TypeError
        If it is not `markupsafe.Markup`, with which the author says that all in it is escaped.

    Examples
    --------
    >>> markup("<b>")
    Traceback (most recent call last):
    TypeError: content is a str; expected markupsafe.Markup, in which what others wrote is escaped
    """
    if not isinstance(content, Markup):
        kind = type(content).__name__
        expected = "markupsafe.Markup, in which what others wrote is escaped"
        raise TypeError(f"content is a {kind}; expected {expected}")
    return Node("markup", props={"content": content, "words": words, "css": css})


def colour_key(scale: Scale) -> Node:
    """Return a colour key.

    Examples
    --------
    >>> colour_key(Scale("grey", 0, 1)).kind
    'markup'
    """
    return markup(scale.colour_key())


def code(name: str, source: str) -> Node:
    """Return code with a button that copies it.

    Examples
    --------
    >>> code("torch code", "Y = corr2d(X, K)").source
    'Y = corr2d(X, K)'
    """
    return Node("code", name, {"source": source})


def question(words: str, choices: Mapping[str, str], right: str) -> Node:
    """Return a question with choices, each of which answers when it is opened.

    It needs no kernel and no script. A radio group would choose whatever the arrow keys pass; so
    each choice is a fold, which also stays closed where a site drops styles.

    Parameters
    ----------
    words : str
        The question.
    choices : mapping of str to str
        What one can choose, and what is said about it then.
    right : str
        The right choice, which every answer names.

    Raises
    ------
    ConvkitError
        If `right` is none of the choices.

    Examples
    --------
    >>> question("2 × 2?", {"4": "Twice two.", "22": "That is no product."}, right="4").right
    '4'
    """
    check_choice("right", right, choices)
    return Node("question", words, {"choices": dict(choices), "right": right})


# Controls


def select(name: str, options: Sequence[Any], value: Any, edits: Edits) -> Node:
    """Return a list to choose one of some values from.

    Examples
    --------
    >>> select("rows", (1, 2, 3), 2, edits="rows").value
    2
    """
    return Node("select", name, {"options": tuple(options), "value": value}, edits=edits)


def choice(name: str, options: Mapping[str, str] | Sequence[str], value: str, edits: Edits) -> Node:
    """Return a few buttons of which one is on; a mapping gives each a tooltip.

    Examples
    --------
    >>> choice("mode", {"max": "the largest", "avg": "the mean"}, "max", edits="mode").options
    {'max': 'the largest', 'avg': 'the mean'}
    """
    tooltips = dict(options) if isinstance(options, Mapping) else dict.fromkeys(options, "")
    return Node("choice", name, {"options": tooltips, "value": value}, edits=edits)


def check(name: str, value: bool, edits: Edits) -> Node:
    """Return a box to tick, with its name beside it.

    Examples
    --------
    >>> check("flip the kernel", True, edits="flip").value
    True
    """
    return Node("check", name, {"value": value}, edits=edits)


def slider(
    name: str,
    low: int,
    high: int,
    value: int,
    edits: Edits,
    value_text: str = "",
    mark: int | None = None,
) -> Node:
    """Return a slider of whole positions.

    Positions are whole because a browser rounds others, and sends them back as if dragged.

    Parameters
    ----------
    value_text : str
        The value in words, for screen readers and saved notebooks.
    mark : int, optional
        The position up to which the scale is green; what lies beyond is hatched.

    Examples
    --------
    >>> slider("size", 1, 4, 2, edits=lambda size: {"size": size, "stride": size}).edits(3)
    {'size': 3, 'stride': 3}
    """
    props = {"low": low, "high": high, "value": value, "value_text": value_text, "mark": mark}
    return Node("slider", name, props, edits=edits)


def entry(
    name: str,
    value: str,
    edits: Edits,
    *,
    width: int = 60,
    shows_name: bool = True,
    disabled: str = "",
) -> Node:
    """Return a box to type in, which is read at each key.

    Parameters
    ----------
    width : int
        CSS pixels.
    shows_name : bool
        Whether its name stands beside it.
    disabled : str
        Why nothing can be typed, if so.

    Examples
    --------
    >>> entry("size", "2", edits=lambda text: {"size": int(text)}).edits("3")
    {'size': 3}
    """
    props = {"value": value, "width": width, "shows_name": shows_name, "disabled": disabled}
    return Node("entry", name, props, edits=edits)


def number_entry(
    name: str, value: float, field: str, dtype: torch.dtype = torch.float64, *, width: int = 60
) -> Node:
    """Return a box for a number, or a fraction, that is a field of the state.

    Examples
    --------
    >>> number_entry("rate", 0.5, "lr").edits("1/4")
    {'lr': 0.25}
    """

    def edits(text: str) -> dict[str, float]:
        return {field: read_number(name, text, dtype, value)}

    return entry(name, formatting.number(value), edits, width=width)


def pair_entry(name: str, value: Pair, low: int, disabled: str = "") -> Node:
    """Return a box for one whole number from `low` on or two, the field of the same name.

    Examples
    --------
    >>> pair_entry("stride", 1, low=1).edits("1, 2")
    {'stride': (1, 2)}
    """
    return entry(
        name,
        write_pair(value),
        lambda text: {name: read_pair(name, text, low, value)},
        disabled=disabled,
    )


def button(name: str, edits: Edits, *, focus: str = "") -> Node:
    """Return a button; its function takes no value.

    Parameters
    ----------
    focus : str
        The name of a control that gets the focus, where a press takes the button away.

    Examples
    --------
    >>> button("fastest rate", edits=lambda: {"lr": 1 / 36}).edits()["lr"] < 0.03
    True
    """
    return Node("button", name, {"focus": focus}, edits=edits)


def file(name: str, accept: str, edits: Edits) -> Node:
    """Return a button that opens a file; its function takes the file's name and its bytes.

    Parameters
    ----------
    accept : str
        File name extensions, such as ".png,.jpg".

    Examples
    --------
    >>> file("open a text", ".txt", lambda name, data: {"title": name}).edits("a.txt", b"")
    {'title': 'a.txt'}
    """
    return Node("file", name, {"accept": accept}, edits=edits)


def numbers(  # noqa: PLR0913
    name: str,
    values: Tensor,
    edits: Edits,
    *,
    symbol: str = "",
    at: Cell | None = None,
    focus: Edits | None = None,
    scale: Scale | None = None,
) -> Node:
    """Return a grid of number boxes for a field of the state, in colour.

    Parameters
    ----------
    values : Tensor
        What the boxes say, (H, W).
    edits : field or callable
        The field, (H, W), in which a typed number replaces the one of its cell; or a function of
        the values with the new number, which returns fields.
    symbol : str
        What a box is called, as "K" in K[0, 1].
    at : (i, j), optional
        The cell that is marked as chosen.
    focus : field or callable, optional
        What moving the focus to a cell edits.
    scale : Scale, optional
        How they become colours; signed, fitted to them, unless given.

    Examples
    --------
    >>> import torch
    >>> numbers("kernel", torch.ones(3, 3), edits="K", symbol="K").symbol
    'K'
    """
    props = {
        "values": values,
        "symbol": symbol or name,
        "at": at,
        "focus": focus,
        "scale": scale or Scale.signed(values),
        "is_compact": max(values.shape) >= COMPACT_SIDE,
    }
    return Node("numbers", name, props, edits=edits)


# Arrays


def cells(name: str, texts: Sequence[str], classes: Sequence[str], columns: int) -> Node:
    """Return a bare table, given text and colour class of each cell in reading order.

    Examples
    --------
    >>> cells("gradient", ["1", "−2"], ["t10", "t-20"], columns=2).texts
    ('1', '−2')
    """
    props = {"texts": tuple(texts), "classes": tuple(classes), "columns": columns}
    return Node("cells", name, props)


def table(  # noqa: PLR0913
    name: str,
    values: Tensor,
    scale: Scale,
    *,
    frames: Sequence[Frame] = (),
    descriptions: Sequence[Sequence[str]] = (),
    part: Part | None = None,
    mark: Tensor | None = None,
    texts: Sequence[Sequence[str]] = (),
    aria_label: str = "",
    paint: Edits | None = None,
    headers: bool = True,
    pick: str = "hover",
    cell: int = 0,
    tooltips: Sequence[Sequence[str]] = (),
) -> Node:
    """Return a table of numbers in colour, with frames that follow a cursor.

    Parameters
    ----------
    name : str
        Which table it is.
    values : Tensor
        Numbers (H, W), padding included.
    scale : Scale
        How they become colours.
    frames : sequence of Frame
        What lies on the table; the first one's cursor is moved by pointing at it.
    descriptions : rows of str
        A sentence for each cell, which are then cells of the first frame's cursor: they can be
        chosen by keys too, also in a saved notebook.
    part : Part, optional
        Which part of an array the numbers are; the whole of it unless given.
    mark : Tensor, optional
        Which cells are marked as different, (H, W) of bool.
    texts : rows of str
        What the cells say, where that is not the number.
    aria_label : str
        What a screen reader says in place of the name, such as "input 6 × 8".
    paint : callable, optional
        What dragging over cells edits: it takes a list of them, first the one that is pressed, and
        then those of each move, from the last one on. Space in a cell with a sentence presses it.
    headers : bool
        Whether rows and columns are numbered.
    pick : {"hover", "click", "none"}
        Whether its cursor follows the pointer, or clicks alone, or neither.
    cell : int
        CSS pixels of a cell, a square, beyond which frames are cut off; as its texts need if 0.
    tooltips : rows of str
        What is said of each cell while the pointer rests on it, if anything.

    Examples
    --------
    >>> import torch
    >>> table("X", torch.tensor([[1.0, 0.5]]), Scale("grey", 0, 1)).texts
    [['1', '0.5']]
    """
    part = part or Part.padded(values.shape)
    props = {
        "values": values,
        "texts": texts or formatting.cell_texts(values),
        "part": part,
        "classes": scale.classes(values),
        "frames": tuple(frame.moved(part.start) for frame in frames),
        "descriptions": descriptions,
        "aria_label": aria_label or name,
        "marked": _places(mark),
        "headers": headers,
        "pick": pick,
        "cell": cell,
        "tooltips": tooltips,
    }
    return Node("table", name, props, edits=paint)


def _places(mark: Tensor | None) -> frozenset[tuple[int, ...]]:
    return frozenset() if mark is None else frozenset(map(tuple, mark.nonzero().tolist()))


def picture(
    name: str,
    values: Tensor,
    scale: Scale,
    *,
    frames: Sequence[Frame] = (),
    full: Cell | None = None,
    mark: Tensor | None = None,
    width: int = 256,
    aria_label: str = "",
) -> Node:
    r"""Return a picture of numbers.

    Parameters
    ----------
    values : Tensor
        The pixels, (H, W), or of a picture in colour its red, green and blue, (3, H, W).
    frames : sequence of Frame
        What lies on it; the first one's cursor is moved by pointing at it.
    full : (rows, columns), optional
        The shape of the array that the pixels are a sample of.
    mark : Tensor, optional
        Which pixels are marked as different, (H, W) of bool; none of a picture in colour.
    width : int
        The most CSS pixels of its longer side; where that is several for each pixel, a whole
        number of them.
    aria_label : str
        What a screen reader says in place of the name.

    Examples
    --------
    >>> import torch
    >>> picture("X", torch.eye(2), Scale("grey", 0, 1)).pixels
    b'\xfe\x00\x00\xfe'
    """
    shape = tuple(values.shape[-2:])
    props = {
        "values": values,
        "shape": shape,
        "look": scale.look,
        "frames": tuple(frames),
        "full": full or shape,
        "width": width,
        "aria_label": aria_label or name,
    }
    if values.ndim == 3:
        return Node("colour picture", name, props | {"channels": scale.channels(values)})
    return Node("picture", name, props | {"pixels": scale.indices(values, mark)})


def pictures(name: str, stack: Tensor, scale: Scale, **options: Any) -> list[Node]:
    """Return a `picture` of each of many arrays (n, H, W), called "map 0", "map 1" and so on.

    Each is a layer: a cursor of three numbers is in one of them. The colours of all are found
    together, which takes a third of the time on small ones.

    Examples
    --------
    >>> [p.aria_label for p in pictures("map", torch.zeros(2, 4, 4), Scale("grey", 0, 1))]
    ['map 0', 'map 1']
    """
    size = stack[0].numel()
    pixels = scale.indices(stack)
    first = picture(f"{name} 0", stack[0], scale, **options)
    made = []
    for k, values in enumerate(stack):
        own = {"values": values, "pixels": pixels[size * k : size * (k + 1)], "layer": k}
        own["aria_label"] = f"{name} {k}"
        made.append(Node("picture", f"{name} {k}", {**first.props, **own}))
    return made


def array(name: str, values: Tensor, **options: Any) -> Node:
    """Return a `table` of a small array, a `picture` of a large one, in colours that suit it.

    Examples
    --------
    >>> import torch
    >>> array("X", torch.zeros(6, 8)).kind, array("X", torch.zeros(60, 80)).kind
    ('table', 'picture')
    """
    kind = table if max(values.shape) <= MAX_TABLE_SIDE else picture
    return kind(name, values, Scale.fitted(values), **options)


def description(cursor: Cursor, words: str) -> Node:
    """Return a line that says what the table with `descriptions` has for the cursor's cell.

    Examples
    --------
    >>> description(Cursor("window", (2, 2), (0, 0), "at"), "Y[0, 0] = 19").words
    'Y[0, 0] = 19'
    """
    return Node("description", props={"follows": cursor, "words": words})
