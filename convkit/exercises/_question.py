"""Questions that no program can check: the learner chooses an answer, and is told about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convkit.ui import View


@dataclass(frozen=True)
class Question:
    """A question with choices: `predict` shows it once it is in `QUESTIONS`.

    Parameters
    ----------
    words : str
        The question.
    choices : mapping of str to str
        What one can choose, and what is said about it then. The wrong ones are what people think.
    right : str
        The right choice.

    Examples
    --------
    >>> Question("2 × 2?", {"4": "Twice two.", "22": "That is no product."}, right="4").view()
    2 × 2?
    - 4
    - 22
    """

    words: str
    choices: Mapping[str, str]
    right: str

    def view(self) -> View:
        """Return what a notebook shows; as text it says the choices alone.

        Raises
        ------
        ConvkitError
            If `right` is none of the choices.
        """
        from convkit import ui  # checking answers needs no widgets

        node = ui.question(self.words, self.choices, self.right)
        return ui.View(node, "\n- ".join([self.words, *self.choices]))
