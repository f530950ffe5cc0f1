"""Both servers' streams, read from real sockets."""

import json
from typing import Any

from inference.management.bench import client
from tests.each import each
from tests.management.bench.wire import answering, chunked

CLOSING = b"HTTP/1.0 200 OK\r\nContent-type: text/event-stream\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BODY: dict[str, Any] = {"messages": []}


def event(data: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def piece(**delta: str) -> bytes:
    return event({"choices": [{"index": 0, "delta": {"role": "assistant", **delta}}]})


def usage(tokens: int) -> bytes:
    counts = {"prompt_tokens": 9, "completion_tokens": tokens, "prompt_tokens_details": {"cached_tokens": 4}}
    return event({"choices": [], "usage": counts})


WHOLE = piece(content="") + piece(content="Once") + piece(content=" upon") + usage(2) + b"data: [DONE]\n\n"


async def test_it_reads_an_answer_that_ends_with_its_connection() -> None:
    # mlx_lm.server's form: comments while it computes the prompt, and no length.
    async with answering(CLOSING, b": keepalive 3/9\n\n", WHOLE) as port:
        answer = await client.ask(port, BODY)
    assert answer.text == "Once upon"
    assert (answer.tokens, answer.prompt_tokens, answer.cached_tokens) == (2, 9, 4)


async def test_it_reads_an_answer_in_chunks_wherever_they_are_cut() -> None:
    async with answering(CHUNKED, chunked(WHOLE, [1, 7, 50, 3])) as port:
        answer = await client.ask(port, BODY)
    assert answer.text == "Once upon"
    assert len(answer.pieces) == 2


async def test_an_empty_piece_is_no_first_token() -> None:
    async with answering(CLOSING, piece(content=""), usage(0), b"data: [DONE]\n\n") as port:
        assert (await client.ask(port, BODY)).pieces == ()


@each(
    ("sent", "response"),
    [
        ([b"HTTP/1.0 404 Not Found\r\n\r\n", b"{}"], "status 404"),
        ([CLOSING, piece(content="Once")], "the stream ended early"),
        ([CLOSING, event({"error": {"message": "no"}})], "an error event"),
        ([], "0 bytes read"),
    ],
)
async def test_a_failed_request_is_counted_and_named(sent: list[bytes], response: str) -> None:
    async with answering(*sent) as port:
        asked = await client.ask_together(port, [BODY, BODY])
    assert asked.answers == ()
    assert response in asked.failure_notes("theirs")[0]
    assert asked.failure_notes("theirs")[0].startswith("theirs: 2 of 2 requests failed")


async def test_nobody_listening_is_a_failed_request() -> None:
    async with answering() as port:
        pass
    asked = await client.ask_together(port, [BODY])
    assert asked.failures == ("ConnectionRefusedError",)
