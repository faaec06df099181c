"""Text that changes with a step, in the browser, without the kernel."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import traitlets

from convkit.errors import ConvkitError
from convkit.widgets._part import Part, module, stylesheet

MAX_STRINGS = 2**16
"""The most different strings: each is known by a number of 16 bits."""

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
    strings, classes : list of str
        The different texts and classes.
    text_codes, class_codes : bytes
        uint16, little endian, frames times slots: indices into `strings` and `classes`.

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
    strings = traitlets.List(traitlets.Unicode()).tag(sync=True)
    classes = traitlets.List(traitlets.Unicode()).tag(sync=True)
    text_codes = traitlets.Bytes(b"").tag(sync=True)
    class_codes = traitlets.Bytes(b"").tag(sync=True)
    index = traitlets.Int(0).tag(sync=True, echo_update=False)

    def __init__(self, html: str = "") -> None:
        self._size = (0, 0)
        super().__init__(html=html)

    def show(self, texts: Rows, classes: Rows = (), *, html: str | None = None) -> None:
        """Set the texts, and perhaps the classes, of all frames, in one message.

        Parameters
        ----------
        texts, classes : rows of str
            Shape (frames, slots). Without classes, elements keep those of the template.
        html : str, optional
            Another template.

        Raises
        ------
        ConvkitError
            If frames differ in their number of slots, or there are over 65,536 different strings.

        Examples
        --------
        >>> frames = Frames('<b data-slot="0"></b>')
        >>> frames.show([["0.5"], ["1.5"]], [[""], ["large"]])
        >>> frames.strings, frames.classes
        (['0.5', '1.5'], ['', 'large'])
        """
        text_codes, strings = _encode("texts", texts)
        class_codes, class_names = _encode("classes", classes)
        if classes and len(class_codes) != len(text_codes):
            raise ConvkitError(
                f"classes has {len(class_codes) // 2} entries",
                f"{len(text_codes) // 2}, one for each text",
                "Give a class for every slot of every frame.",
            )
        self._size = (len(texts), len(texts[0]) if texts else 0)
        with self.hold_sync():
            if html is not None:
                self.html = html
            self.strings, self.text_codes = strings, text_codes
            self.classes, self.class_codes = class_names, class_codes

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


def _encode(name: str, rows: Rows) -> tuple[bytes, list[str]]:
    """Return the different strings, and the index of each entry among them as uint16."""
    lengths = {len(row) for row in rows}
    if len(lengths) > 1:
        raise ConvkitError(
            f"{name} has frames of {min(lengths)} and {max(lengths)} slots",
            "as many slots in every frame",
            "Fill a slot that has nothing to say with an empty text.",
        )
    numbers = {text: k for k, text in enumerate(dict.fromkeys(chain.from_iterable(rows)))}
    if len(numbers) > MAX_STRINGS:
        raise ConvkitError(
            f"{name} has {len(numbers)} different strings",
            f"at most {MAX_STRINGS}",
            "Show fewer frames, or fewer digits.",
        )
    codes = [numbers[text] for row in rows for text in row]
    return np.array(codes, dtype="<u2").tobytes(), list(numbers)
