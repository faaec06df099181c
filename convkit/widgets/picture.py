"""A picture of raw pixels with a frame on it that follows the pointer in the browser."""

from __future__ import annotations

import traitlets

from convkit.widgets._part import module, stylesheet
from convkit.widgets._pointable import Pointable, pair


class Picture(Pointable):
    """A picture painted from indices and a palette, with a frame around one window of it.

    Rows and columns count from 0, in pixels of the full picture, of which the painted pixels may
    be a sample. The frame of cell (i, j) starts at ``start + (i, j) * stride`` and has the size
    `window`. If `pointable`, the frame follows the pointer, a click or an arrow key chooses the
    cell, and two pictures whose `pointed` are connected by `Links` point together; none of this
    needs the kernel.

    Parameters
    ----------
    label : str
        What the picture shows, for screen readers.
    width : int
        CSS pixels; the height follows from the shape.

    Attributes
    ----------
    pixels : bytes
        One index per pixel, row by row.
    palette : bytes
        256 colours of four bytes: red, green, blue, alpha.
    shape, full_shape : [height, width]
        Of the painted pixels, and of the picture that they sample (empty: the same).
    start, stride, window : [rows, columns]
        Where the frame of cell (0, 0) starts, how far cells are apart, how large the frame is.
    cells : [rows, columns]
        How many cells there are.
    cell, pointed : [i, j]
        The chosen cell, and the one under the pointer; empty if there is none.
    frame_role : {"kernel", "output"}
        Whose colour the frame has.
    pointable : bool
        Whether the frame follows the pointer and the arrow keys.
    zoomed : bool
        Whether dashed lines lead from the frame to the lower corners, for a zoom that stands there.

    Examples
    --------
    >>> picture = Picture("two pixels, black and white")
    >>> picture.shape, picture.pixels = [1, 2], bytes([0, 255])
    >>> picture
    Picture: two pixels, black and white
    """

    _esm = module("pointing", "picture")
    _css = stylesheet("picture")

    label = traitlets.Unicode("").tag(sync=True)
    width = traitlets.Int(270).tag(sync=True)
    pixels = traitlets.Bytes(b"").tag(sync=True)
    palette = traitlets.Bytes(b"").tag(sync=True)
    shape = pair(1, 1)
    full_shape = traitlets.List(traitlets.Int(), []).tag(sync=True)
    frame_role = traitlets.Enum(("kernel", "output"), "kernel").tag(sync=True)
    pointable = traitlets.Bool(False).tag(sync=True)
    zoomed = traitlets.Bool(False).tag(sync=True)

    def __init__(self, label: str = "", *, width: int = 270) -> None:
        super().__init__(label=label, width=width)

    def summary(self) -> str:
        """Return what the picture shows.

        Examples
        --------
        >>> Picture("the input").summary()
        'Picture: the input'
        """
        return f"Picture: {self.label}"
