"""The id of a request."""

import contextvars
import re

from inference.core import request_id
from tests.each import each


@each("sent", ["abc-1", "a/b:c=d+e.f_g", "x" * 128])
def test_a_clients_own_id_is_kept(sent: str) -> None:
    assert contextvars.copy_context().run(request_id.begin, sent) == sent


@each("sent", ["", "a b", "é", "a\nb", "x" * 129])
def test_an_id_that_cannot_be_used_is_replaced(sent: str) -> None:
    made = contextvars.copy_context().run(request_id.begin, sent)
    assert re.fullmatch(r"req_[0-9a-f]{24}", made)


def test_it_is_known_in_its_own_context_only() -> None:
    context = contextvars.copy_context()
    context.run(request_id.begin, "mine")
    assert context.run(request_id.current) == "mine"
    assert contextvars.Context().run(request_id.current) == ""
