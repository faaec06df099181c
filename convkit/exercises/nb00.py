"""The exercise of notebook 00."""

from __future__ import annotations

import torch

from convkit.exercises._grading import Exercise, compare


def sum_of_products():
    """Multiply cell by cell, then add."""
    return 5 * 1 + 3 * (-1)


def check_sum_of_products(answer: object) -> str:
    """Check one window's sum: cells 5 and 3 under weights 1 and -1."""
    slips = [
        (torch.tensor(8.0), "8 is 5 + 3: you forgot that the second weight is -1."),
        (torch.tensor(-15.0), "-15 comes from multiplying everything: add the two products."),
        (torch.tensor(-2.0), "-2 is 3 - 5: the first weight, 1, belongs to the first cell, 5."),
    ]
    compare(answer, torch.tensor(2.0), "The sum", slips)
    return "5×1 + 3×(-1) = 2: multiply cell by cell, then add."


EXERCISES = {
    "0.1": Exercise(
        check_sum_of_products,
        sum_of_products,
        "Two products, then one addition: 5 times 1, 3 times -1.",
    ),
}
