"""Text that changes with a step, in the browser, without the kernel."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import traitlets

from convkit.errors import ConvkitError
from convkit.widgets._part import Part, module, stylesheet

MAX_CONTENTS = 2**16
"""The most different pairs of text and class: each is known by a number of 16 bits."""

Rows = Sequence[Sequence[str]]


class Frames(Part):
    """HTML whose marked elements change their text and class with `index`.

    Elements of the HTML carry ``data-slot="0"``, ``data-slot="1"`` and so on. Each frame gives a
    text and a class for every slot; the browser fills in those of frame `index`.

    Attributes
    ----------
    html : str
        The template, trusted as HTML; texts are filled in as text.
    index : int
        The frame on show.
    contents : list of [text, class]
        What slots can hold; a class that is None leaves the template's.
    codes, columns : bytes
        uint16, little endian. In frame n slot k holds ``contents[codes[n, columns[k]]]``: slots
        that hold the same in all frames share a column.
    announcements : list of str
        What screen readers say of each frame when `index` has moved to it and stays there.
    announcement : str
        Another text for screen readers, said when it changes.

    Examples
    --------
    >>> frames = Frames('loss <b data-slot="0"></b>')
    >>> frames.show([["26.9"], ["14.2"]])
    >>> frames.index = 1
    >>> frames
    Frames: 2 frames of 1 slot, frame 1 on show
    """

    _esm = module("frames")
    _css = stylesheet("frames")

    html = traitlets.Unicode("").tag(sync=True)
    contents = traitlets.List().tag(sync=True)
    codes = traitlets.Bytes(b"").tag(sync=True)
    columns = traitlets.Bytes(b"").tag(sync=True)
    index = traitlets.Int(0).tag(sync=True, echo_update=False)
    announcements = traitlets.List(traitlets.Unicode()).tag(sync=True)
    announcement = traitlets.Unicode("").tag(sync=True)

    def __init__(self, html: str = "") -> None:
        self._size = (0, 0)
        super().__init__(html=html)

    def show(
        self,
        texts: Rows,
        classes: Rows = (),
        *,
        html: str | None = None,
        announcements: Sequence[str] = (),
    ) -> None:
        """Set the texts, and perhaps the classes, of all frames, in one message.

        Parameters
        ----------
        texts, classes : rows of str
            Shape (frames, slots). Without classes, elements keep those of the template.
        html : str, optional
            Another template.
        announcements : sequence of str
            What to say of each frame.

        Raises
        ------
        ConvkitError
            If frames differ in their number of slots, or slots hold over 65,536 different things.

        Examples
        --------
        >>> frames = Frames('<b data-slot="0"></b>')
        >>> frames.show([["0.5"], ["1.5"]], [[""], ["large"]])
        >>> frames.contents
        [['0.5', ''], ['1.5', 'large']]
        """
        cells = list(chain.from_iterable(texts))
        names = list(chain.from_iterable(classes)) if classes else [None] * len(cells)
        self._size = _checked_size("texts", texts)
        if classes and _checked_size("classes", classes) != self._size:
            raise ConvkitError(
                f"classes has {len(names)} entries",
                f"{len(cells)}, one for each text",
                "Give a class for every slot of every frame.",
            )
        contents = list(zip(cells, names, strict=True))
        numbers = {content: k for k, content in enumerate(dict.fromkeys(contents))}
        if len(numbers) > MAX_CONTENTS:
            given = f"slots hold {len(numbers)} different things"
            hint = "Show fewer frames, or fewer digits."
            raise ConvkitError(given, f"at most {MAX_CONTENTS}", hint)
        table = np.array([numbers[content] for content in contents], "<u2").reshape(self._size)
        codes, columns = np.unique(table, axis=1, return_inverse=True)
        with self.hold_sync():
            if html is not None:
                self.html = html
            self.contents = [list(content) for content in numbers]
            self.codes, self.columns = codes.tobytes(), columns.astype("<u2").tobytes()
            self.announcements = list(announcements)

    def summary(self) -> str:
        """Return how many frames and slots there are, and which frame is on show.

        Examples
        --------
        >>> Frames().summary()
        'Frames: 0 frames of 0 slots, frame 0 on show'
        """
        count, slots = self._size
        plural = "" if slots == 1 else "s"
        return f"Frames: {count} frames of {slots} slot{plural}, frame {self.index} on show"


def _checked_size(name: str, rows: Rows) -> tuple[int, int]:
    """Return the number of frames, and of the slots that each has."""
    lengths = {len(row) for row in rows}
    if len(lengths) > 1:
        raise ConvkitError(
            f"{name} has frames of {min(lengths)} and {max(lengths)} slots",
            "as many slots in every frame",
            "Fill a slot that has nothing to say with an empty text.",
        )
    return len(rows), max(lengths, default=0)
