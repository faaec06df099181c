"""Buttons, a number box and a slider that choose one of some recorded steps."""

from __future__ import annotations

import traitlets

from convkit.errors import ConvkitError
from convkit.widgets._part import Part, module, stylesheet


class Player(Part):
    """Buttons, a number box and a slider that choose one of the steps 0 to `max`.

    All moves happen in the browser: parts connected by `Links` follow while the kernel is busy.
    Playing stops by itself at the end; started at the end it begins again at 0.

    Parameters
    ----------
    label : str
        What one position is, such as "step"; the buttons are named "first step" and so on.
    max, value : int
        The last position, and the one to start with.
    interval : int
        Milliseconds from one position to the next while playing.
    show_slider, show_number : bool
        Whether there is a slider, and a number box.

    Attributes
    ----------
    playing : bool
        Whether it is playing.
    valuetext : str
        What a screen reader says of the slider, in place of "step 3".

    Raises
    ------
    ConvkitError
        If `value` does not lie between 0 and `max`, or `interval` is not positive.

    Examples
    --------
    >>> player = Player("step", max=25, value=6)
    >>> player
    Player: step 6 of 25
    """

    _esm = module("player")
    _css = stylesheet("player")

    label = traitlets.Unicode("step").tag(sync=True)
    max = traitlets.Int(0).tag(sync=True)
    value = traitlets.Int(0).tag(sync=True, echo_update=False)
    interval = traitlets.Int(400).tag(sync=True)
    playing = traitlets.Bool(False).tag(sync=True, echo_update=False)
    valuetext = traitlets.Unicode("").tag(sync=True)
    show_slider = traitlets.Bool(True).tag(sync=True)
    show_number = traitlets.Bool(True).tag(sync=True)

    def __init__(
        self,
        label: str = "step",
        max: int = 0,
        value: int = 0,
        *,
        interval: int = 400,
        show_slider: bool = True,
        show_number: bool = True,
    ) -> None:
        if not 0 <= value <= max:
            raise ConvkitError(
                f"value is {value}", f"a position from 0 to {max}", "Move it into the range."
            )
        if interval <= 0:
            raise ConvkitError(
                f"interval is {interval}", "milliseconds, at least 1", "400 is easy to follow."
            )
        super().__init__(
            label=label,
            max=max,
            value=value,
            interval=interval,
            show_slider=show_slider,
            show_number=show_number,
        )

    def summary(self) -> str:
        """Return the label, the position and the last position.

        Examples
        --------
        >>> Player("step", max=25).summary()
        'Player: step 0 of 25'
        """
        return f"Player: {self.label} {self.value} of {self.max}"
