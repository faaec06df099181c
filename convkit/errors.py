"""The one error class of convkit."""


class ConvkitError(ValueError):
    """An input that cannot work, told in three parts.

    Parameters
    ----------
    given : str
        What was given, with the argument's name and value.
    wanted : str
        What would have been accepted.
    mend : str
        What to do about it, as a sentence.
    """

    def __init__(self, given: str, wanted: str, mend: str) -> None:
        super().__init__(f"{given}; wanted {wanted}. {mend}")
