"""A plot with a path on it whose marker moves in the browser, and that one can click."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import traitlets

from convkit.widgets._part import Part, module, stylesheet

PointHandler = Callable[[float, float], None]


class Plot(Part):
    """A picture of axes, made in Python, with a path and a marker that move in the browser.

    Places are in CSS pixels from the top left of the plot. The path is drawn up to the point
    `index`; what lies outside `area` is cut off, and a marker outside becomes an arrow at the edge.

    Parameters
    ----------
    label : str
        What the plot shows, for screen readers.
    size : [width, height]
        CSS pixels of the whole plot.
    area : [left, top, width, height]
        CSS pixels of the rectangle inside the axes.
    pick : {"point", "index"}
        What pointing at a clickable plot chooses: a point, passed to the handlers of `on_point`, or
        the point of the path that is nearest along x, which sets `index` without the kernel.

    Attributes
    ----------
    background : bytes
        A PNG of the axes, in any resolution.
    path : bytes
        float32 pairs x, y.
    index : int
        The point that is marked.
    show_ahead : bool
        Draw the rest of the path, faint.
    marker_text, marker_texts : str, list of str
        What stands at the marker; the list has a text for each index, and takes precedence.
    clickable : bool
        Whether one can click, drag, and use the arrow keys. If `pick` is "point", these move the
        first point of the path by 4 pixels.

    Examples
    --------
    >>> plot = Plot("loss after each step", [440, 250], [60, 10, 370, 200], pick="index")
    >>> plot.on_point(lambda x, y: print(x, y))
    >>> plot
    Plot: loss after each step
    """

    _esm = module("plot")
    _css = stylesheet("plot")

    label = traitlets.Unicode("").tag(sync=True)
    size = traitlets.List(traitlets.Float(), [100, 100], minlen=2, maxlen=2).tag(sync=True)
    area = traitlets.List(traitlets.Float(), [0, 0, 100, 100], minlen=4, maxlen=4).tag(sync=True)
    background = traitlets.Bytes(b"").tag(sync=True)
    path = traitlets.Bytes(b"").tag(sync=True)
    index = traitlets.Int(0).tag(sync=True, echo_update=False)
    show_ahead = traitlets.Bool(False).tag(sync=True)
    marker_text = traitlets.Unicode("").tag(sync=True)
    marker_texts = traitlets.List(traitlets.Unicode()).tag(sync=True)
    pick = traitlets.Enum(("point", "index"), "point").tag(sync=True)
    clickable = traitlets.Bool(False).tag(sync=True)
    answered = traitlets.Float(0).tag(sync=True)

    def __init__(
        self,
        label: str,
        size: Sequence[float],
        area: Sequence[float],
        *,
        pick: str = "point",
    ) -> None:
        self._handlers: list[PointHandler] = []
        super().__init__(label=label, size=list(size), area=list(area), pick=pick)
        self.on_msg(self._on_message)

    def on_point(self, handler: PointHandler) -> None:
        """Call `handler` with x and y, in CSS pixels of the plot, of a point that was chosen.

        Examples
        --------
        >>> plot = Plot("loss surface", [250, 250], [0, 0, 250, 250])
        >>> plot.clickable = True
        >>> plot.on_point(lambda x, y: print(f"{x} pixels from the left, {y} from the top"))
        """
        self._handlers.append(handler)

    def summary(self) -> str:
        """Return what the plot shows.

        Examples
        --------
        >>> Plot("loss surface", [250, 250], [0, 0, 250, 250]).summary()
        'Plot: loss surface'
        """
        return f"Plot: {self.label}"

    def _on_message(self, _: object, content: object, buffers: object) -> None:
        match content:
            case {"x": int(x) | float(x), "y": int(y) | float(y), **rest}:
                self._choose(float(x), float(y), rest.get("stamp"))

    def _choose(self, x: float, y: float, stamp: object) -> None:
        try:
            for handler in self._handlers:
                handler(x, y)
        finally:  # the browser waits for this before it sends the next point
            if isinstance(stamp, int | float):
                self.answered = float(stamp)
