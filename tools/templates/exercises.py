"""The exercises of notebook LABEL."""

# mypy: disallow-untyped-defs=False

from __future__ import annotations

from convkit.exercises import Exercise

EXERCISES = {
    "NUMBER.1": Exercise(
        hint="Two products, then one addition: 2 times 3, 4 times -1.",
        success="2×3 + 4×(-1) = 2: multiply cell by cell, then add.",
        solution="answer = 2 * 3 + 4 * (-1)",
        correct=2,
        misconceptions={
            "That is 2×3 + 4×1: the second weight is -1, not 1.": 2 * 3 + 4,
            "That is the sum of the weights: multiply each by its pixel.": 3 + (-1),
        },
        name="The sum",
        reveals=False,
        explain=lambda _: "Multiply each pixel by the weight on it, then add the two products.",
    ),
}
