import pytest

from convkit import ConvkitError


def test_the_error_tells_what_was_given_what_was_wanted_and_how_to_mend_it():
    error = ConvkitError("stride is 0", "a whole number of at least 1", "Use 1.")
    assert str(error) == "stride is 0; wanted a whole number of at least 1. Use 1."


def test_the_error_is_a_value_error():
    with pytest.raises(ValueError, match="stride is 0"):
        raise ConvkitError("stride is 0", "1", "Use 1.")
