import json

from inference.core.errors import BodyTooLarge, ContextLengthExceeded, InvalidRequest
from inference.upstreams import refusals
from inference.upstreams.refusals import Unanswered
from tests.each import each


def test_a_request_that_every_address_would_refuse_is_refused() -> None:
    body = json.dumps({"error": {"message": "n is 2", "param": "n", "code": "x"}}).encode()
    error = refusals.of_status(400, body, "")
    assert type(error) is InvalidRequest and error.param == "n"
    assert error.message == "The server that answers for this model refuses the request: n is 2."
    body = json.dumps({"error": {"message": "long", "code": "context_length_exceeded"}}).encode()
    assert isinstance(refusals.of_status(400, body, ""), ContextLengthExceeded)
    assert isinstance(refusals.of_status(413, b"", ""), BodyTooLarge)


@each("body", [b"", b"\xff", b"[]", b'{"error": 5}', b'{"error": {"param": 5}}', b"[" * 10**5])
def test_nonsense_in_its_place_is_no_trouble(body: bytes) -> None:
    assert isinstance(refusals.of_status(400, body, ""), InvalidRequest)


@each(("header", "pause"), [("7", 7), ("9999", 60), ("soon", 1), ("", 1), ("-1", 1)])
def test_a_busy_server_says_for_how_long(header: str, pause: float) -> None:
    busy = refusals.of_status(429, b"", header)
    assert isinstance(busy, Unanswered) and busy.pause_s == pause


def test_what_it_says_is_one_line_without_paths() -> None:
    said = refusals.cleaned("No file\n/Users/ann/models/x.gguf\x1b[31m for org/name " + "x" * 999)
    assert "/Users" not in said and "\x1b" not in said and "org/name" in said
    assert len(said) <= 300
