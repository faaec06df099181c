"""What all tests of panels share: none may log an error unless it means to."""

import logging

import pytest


@pytest.fixture(autouse=True)
def quiet(caplog):
    """Fail a test in which a panel logged an error that the test has not cleared."""
    with caplog.at_level(logging.WARNING, logger="convkit"):
        yield
    logged = [r for when in ("setup", "call") for r in caplog.get_records(when)]
    names = [r.getMessage() for r in logged if r.name == "convkit"]
    assert names == []
