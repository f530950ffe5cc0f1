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
