"""Errors that clients get."""

from inference.core.errors import ContextLengthExceeded


def test_an_error_with_another_sentence_is_one_of_its_own() -> None:
    error = ContextLengthExceeded("Long.", param="prompt", lengths=(5, 4))
    longer = error.adding("4 fit.")
    assert (longer.message, longer.added, longer.param, longer.lengths) == (
        "Long. 4 fit.",
        "4 fit.",
        "prompt",
        (5, 4),
    )
    assert (error.message, error.added) == ("Long.", "")
