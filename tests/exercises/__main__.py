"""Print, for each exercise, which right and wrong answers were told apart.

python -m tests.exercises
"""

from convkit.exercises import EXERCISES, check
from tests.exercises.answers import ACCEPTED, REJECTED
from tests.exercises.derived import EQUAL_ON_PAPER, derived_answers

LINE = "{:<10}{:>16}{:>16}{:>16}"


def of(name, answers):
    return [answer for each, answer, *_ in answers if each == name]


def row(name):
    """Return an exercise's name and three counts: as it should be, of all."""
    exercise = EXERCISES[name]
    right = [exercise.solution] if exercise.asks_for_function else [exercise.correct]
    right += of(name, ACCEPTED)
    equal, _ = EQUAL_ON_PAPER.get(name, (set(), ""))
    wrong = [*exercise.misconceptions.values(), *of(name, REJECTED)]
    wrong += [answer for how, answer in derived_answers(name) if how not in equal]
    known = exercise.misconceptions.items()
    accepted = [bool(check(name, answer)) for answer in right]
    refused = [not check(name, answer) for answer in wrong]
    named = [check(name, answer).misconception == text for text, answer in known]
    return name, *(f"{sum(each)} of {len(each)}" for each in (accepted, refused, named))


print(LINE.format("exercise", "right accepted", "wrong refused", "mistakes named"))
for exercise_name in EXERCISES:
    print(LINE.format(*row(exercise_name)), flush=True)
