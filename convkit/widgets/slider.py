"""A slider with an accessible name: a native range of whole positions."""

from __future__ import annotations

import traitlets

from convkit.errors import ConvkitError
from convkit.widgets._part import Part, module, stylesheet


class Slider(Part):
    """A slider over whole positions; Python decides what a position means.

    Positions are whole because a browser rounds others, and sends them back as if dragged.

    Parameters
    ----------
    label : str
        Accessible name, such as "weight K[0, 0]".
    min, max, value : int
        The positions at both ends, and the one to start with.
    valuetext : str
        What a screen reader says in place of the position, such as "weight 1.5".
    mark : int, optional
        Draw a scale under the slider: plain up to this position, hatched beyond it.

    Raises
    ------
    ConvkitError
        If `value` does not lie between `min` and `max`.

    Examples
    --------
    >>> slider = Slider("weight K[0, 0]", -40, 40, 15, valuetext="weight 1.5")
    >>> slider
    Slider: weight K[0, 0], at 15 from -40 to 40
    """

    _esm = module("slider")
    _css = stylesheet("slider")

    label = traitlets.Unicode("").tag(sync=True)
    min = traitlets.Int(0).tag(sync=True)
    max = traitlets.Int(100).tag(sync=True)
    value = traitlets.Int(0).tag(sync=True, echo_update=False)
    valuetext = traitlets.Unicode("").tag(sync=True)
    mark = traitlets.Int(None, allow_none=True).tag(sync=True)
    disabled = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self,
        label: str,
        min: int,
        max: int,
        value: int,
        *,
        valuetext: str = "",
        mark: int | None = None,
    ) -> None:
        if not min <= value <= max:
            raise ConvkitError(
                f"value is {value}", f"a position from {min} to {max}", "Move it into the range."
            )
        texts = {"label": label, "valuetext": valuetext}
        super().__init__(min=min, max=max, value=value, mark=mark, **texts)

    def summary(self) -> str:
        """Return the name, the position and the range.

        Examples
        --------
        >>> Slider("weight", -40, 40, 15).summary()
        'Slider: weight, at 15 from -40 to 40'
        """
        return f"Slider: {self.label}, at {self.value} from {self.min} to {self.max}"
