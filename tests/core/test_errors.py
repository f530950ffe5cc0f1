"""Errors on their way from a worker to a client."""

import pytest

from inference.core.errors import ContextLengthExceeded, ServerError, all_errors, from_refusal


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.__name__)
def test_a_refusal_becomes_the_same_error_again(kind: type[ServerError]) -> None:
    made = from_refusal(kind("Words.", param="model").refusal())
    assert (type(made).code, made.message, made.param) == (kind.code, "Words.", "model")


def test_the_lengths_of_a_context_that_is_too_short_are_kept() -> None:
    made = from_refusal(ContextLengthExceeded("Long.", lengths=(5, 4)).refusal())
    assert isinstance(made, ContextLengthExceeded) and made.lengths == (5, 4)


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
