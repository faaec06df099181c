"""The notebooks' exercises: check an answer, ask for a hint, read a solution.

``check("1.1", answer)`` prints one of three things: not started, correct and what was checked, or
not yet and what is wrong. It never stops the notebook.
"""

import inspect

from convkit.errors import ConvkitError
from convkit.exercises import nb00, nb01, nb02, nb03, nb04
from convkit.exercises._grading import Exercise, NotStarted, Wrong, blank

__all__ = ["EXERCISES", "check", "hint", "solution"]

EXERCISES: dict[str, Exercise] = {
    name: exercise
    for notebook in (nb00, nb01, nb02, nb03, nb04)
    for name, exercise in notebook.EXERCISES.items()
}
"""Every exercise by its name, such as "1.1"."""


def _find(name: str) -> Exercise:
    if name not in EXERCISES:
        raise ConvkitError(
            f"exercise {name!r}", f"one of {', '.join(EXERCISES)}", "Check the number."
        )
    return EXERCISES[name]


def check(name: str, answer: object) -> None:
    """Print whether `answer` solves the exercise, and if not, what is wrong with it.

    Parameters
    ----------
    name : str
        The exercise, such as "1.1".
    answer : object
        What the exercise asks for: numbers, a layer, or a function, passed without calling it.

    Raises
    ------
    ConvkitError
        If there is no such exercise.
    """
    exercise = _find(name)
    try:
        if blank(answer):
            raise NotStarted
        print(f"{name} correct. {exercise.checker(answer)}")
    except NotStarted:
        print(f"{name} not started. Replace the ... above. Stuck? Run")
        print(f'from convkit.exercises import hint; hint("{name}")')
    except Wrong as wrong:
        print(f"{name} not yet. {wrong}")


def hint(name: str) -> None:
    """Print a hint for the exercise; raises ConvkitError if there is no such exercise."""
    print(_find(name).hint)


def solution(name: str) -> None:
    """Print one solution's source; raises ConvkitError if there is no such exercise."""
    print(inspect.getsource(_find(name).solution), end="")
