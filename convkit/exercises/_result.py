"""What `check` returns: true or false, and shown in words and in colour."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from html import escape


class Outcome(Enum):
    """How an answer was judged; the value is the word shown.

    Examples
    --------
    >>> Outcome.INCORRECT.value
    'not yet'
    """

    CORRECT = "correct"
    NOT_STARTED = "not started"
    INCORRECT = "not yet"


_COLOURS = {  # JupyterLab's own, at least 4.5:1 on its light and its dark background
    Outcome.CORRECT: "var(--jp-success-color0, #2e7d32)",
    Outcome.NOT_STARTED: "var(--jp-info-color0, #00707a)",
    Outcome.INCORRECT: "var(--jp-error-color1, #c62828)",
}


@dataclass(frozen=True, repr=False)
class CheckResult:
    """The verdict on one answer. It is true only if the answer is correct.

    Attributes
    ----------
    exercise : str
        The exercise, such as "1.1".
    outcome : Outcome
        Correct, not started, or incorrect.
    misconception : str
        The known mistake that the answer makes, a key of `Exercise.misconceptions`; else "".
    message : str
        What was checked, or what is wrong.

    Examples
    --------
    >>> result = CheckResult("0.1", Outcome.INCORRECT, "", "The sum is 7. Add two products.")
    >>> result
    0.1 not yet. The sum is 7. Add two products.
    >>> bool(result)
    False
    """

    exercise: str
    outcome: Outcome
    misconception: str
    message: str

    def __bool__(self) -> bool:
        return self.outcome is Outcome.CORRECT

    def __repr__(self) -> str:
        return f"{self.exercise} {self.outcome.value}. {self.message}"

    def _repr_html_(self) -> str:
        """Return the text with a coloured edge; it reads as well where styles are stripped.

        Code keeps its indents.
        """
        colour = _COLOURS[self.outcome]
        message = escape(self.message).replace("\n", "<br>").replace("  ", "&nbsp; ")
        return (
            f'<div style="border-left: 4px solid {colour}; padding: 2px 0 2px 10px">'
            f'<b style="color: {colour}">{escape(self.exercise)} {self.outcome.value}.</b> '
            f"{message}</div>"
        )
