"""Errors on their way from a worker to a client."""

import msgspec
import pytest

from inference.core.errors import ContextLengthExceeded, ServerError, all_errors
from inference.core.refusal import Refusal
from inference.core.refusal_errors import from_refusal


def sent(error: ServerError) -> ServerError:
    """The error on the site's side of the socket."""
    frame = msgspec.msgpack.encode(error.refusal())
    return from_refusal(msgspec.msgpack.decode(frame, type=Refusal))


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.__name__)
def test_a_refusal_becomes_the_same_error_again(kind: type[ServerError]) -> None:
    made = sent(kind("Words.", param="model"))
    assert (type(made).code, made.message, made.param) == (kind.code, "Words.", "model")


def test_the_lengths_of_a_context_that_is_too_short_are_kept() -> None:
    made = sent(ContextLengthExceeded("Long.", lengths=(5, 4)))
    assert isinstance(made, ContextLengthExceeded) and made.lengths == (5, 4)
