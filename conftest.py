"""Settings of the docstring examples, which pytest runs as tests; tests/ has its own conftest."""

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def repeatable_example(request: pytest.FixtureRequest) -> Iterator[None]:
    """Give each docstring example the same random numbers and torch's default way of printing."""
    if isinstance(request.node, pytest.DoctestItem):
        torch.manual_seed(0)
        torch.set_printoptions(profile="default")
    yield
