"""The exercise of notebook 00."""

from __future__ import annotations

from convkit.exercises import Exercise, Question

EXERCISES = {
    "0.1": Exercise(
        hint="Two products, then one addition: 5 times 1, 3 times -1.",
        success="5×1 + 3×(-1) = 2: multiply cell by cell, then add.",
        solution="answer = 5 * 1 + 3 * (-1)",
        correct=2,
        misconceptions={
            "That is 5 + 3: the second weight is -1, not 1.": 5 + 3,
            "That is the product of everything: add the two products.": 5 * 1 * 3 * -1,
            "That is 3 - 5: the first weight, 1, belongs to the first pixel, 5.": 3 - 5,
            "That is the sum of the weights: multiply each by its pixel.": 1 + (-1),
            "That is a list of the two products: now add them.": [5, -3],
        },
        name="The sum",
        reveals=False,
        explain=lambda _: "Multiply each pixel by the weight on it, then add the two products.",
    ),
}

QUESTIONS = {
    "0a": Question(
        "The kernel is [[1, -1]]. You change it to [[-1, 1]]. What happens to the output?",
        {
            "Nothing: both numbers are still there.": "Each window subtracts, and now in the "
            "other order: 1 − 0 becomes 0 − 1.",
            "Every sign turns.": "It was left minus right, and is right minus left: +1 becomes "
            "−1, and −1 becomes +1.",
            "It becomes all zeros.": "Only where neighbours are equal is the difference 0, before "
            "and after.",
        },
        right="Every sign turns.",
    ),
}
