"""A plot with a path on it whose marker moves in the browser, and that one can click."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import traitlets

from convkit.widgets._part import Part, module, stylesheet

PointHandler = Callable[[float, float], None]


class Plot(Part):
    """Axes that Python describes, with a path and a marker that move in the browser.

    Places are in units from the top left of the plot, x to the right and y down. The path is drawn
    up to the point `index`; what lies outside the plot is cut off, and a marker outside becomes an
    arrow at the edge.

    Parameters
    ----------
    label : str
        What the plot shows, for screen readers.
    size : [width, height]
        Units across and down. Down, a unit is a CSS pixel; across too, unless it is stretched.
    stretch : bool
        Fill the width there is; lines, dots and words keep their form.
    pick : {"point", "index"}
        What pointing at a clickable plot chooses: a point, passed to the handlers of `on_point`, or
        the point of the path that is nearest along x, which sets `index` without the kernel.

    Attributes
    ----------
    shapes : str
        SVG below the path, in units, trusted.
    words : str
        HTML placed in percent of the plot, trusted; numbers of the axes have the classes ``ck-x``
        and ``ck-y``, their names ``ck-x-name`` and ``ck-y-name``.
    path : bytes
        float32 pairs x, y.
    index : int
        The point that is marked.
    show_ahead : bool
        Draw the rest of the path, faint.
    marker_texts, outside_texts : list of str
        For each index, what stands at the marker, and what is said where it lies outside.
    start_text : str
        What stands at the first point, which is then marked by a ring.
    clickable : bool
        Whether one can click, drag, and use the arrow keys. If `pick` is "point", these move the
        first point of the path by 4 units.

    Examples
    --------
    >>> plot = Plot("loss after each step", [440, 250], stretch=True, pick="index")
    >>> plot.on_point(lambda x, y: print(x, y))
    >>> plot
    Plot: loss after each step
    """

    _esm = module("plot")
    _css = stylesheet("plot")

    label = traitlets.Unicode("").tag(sync=True)
    size = traitlets.List(traitlets.Float(), [100, 100], minlen=2, maxlen=2).tag(sync=True)
    stretch = traitlets.Bool(False).tag(sync=True)
    shapes = traitlets.Unicode("").tag(sync=True)
    words = traitlets.Unicode("").tag(sync=True)
    path = traitlets.Bytes(b"").tag(sync=True)
    index = traitlets.Int(0).tag(sync=True, echo_update=False)
    show_ahead = traitlets.Bool(False).tag(sync=True, echo_update=False)
    marker_texts = traitlets.List(traitlets.Unicode()).tag(sync=True)
    outside_texts = traitlets.List(traitlets.Unicode()).tag(sync=True)
    start_text = traitlets.Unicode("").tag(sync=True)
    pick = traitlets.Enum(("point", "index"), "point").tag(sync=True)
    clickable = traitlets.Bool(False).tag(sync=True)
    answered = traitlets.Float(0).tag(sync=True)

    def __init__(
        self,
        label: str,
        size: Sequence[float],
        *,
        stretch: bool = False,
        pick: str = "point",
    ) -> None:
        self._handlers: list[PointHandler] = []
        super().__init__(label=label, size=list(size), stretch=stretch, pick=pick)
        self.on_msg(self._on_message)

    def on_point(self, handler: PointHandler) -> None:
        """Call `handler` with x and y, in units of the plot, of a point that was chosen.

        Examples
        --------
        >>> plot = Plot("loss surface", [250, 250])
        >>> plot.clickable = True
        >>> plot.on_point(lambda x, y: print(f"{x} pixels from the left, {y} from the top"))
        """
        self._handlers.append(handler)

    def summary(self) -> str:
        """Return what the plot shows.

        Examples
        --------
        >>> Plot("loss surface", [250, 250]).summary()
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
