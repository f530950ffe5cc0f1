"""What comes over the wire from one address, as events."""

import asyncio
from contextlib import aclosing

import pytest
from msgspec import structs

from inference.core.errors import (
    InvalidRequest,
    QueueFull,
    ServerError,
    UnsupportedField,
    UpstreamFailed,
)
from inference.core.events import Accepted, Ended, Finished, TextDelta
from inference.core.requests import TokenizeRequest, Tool
from inference.core.upstream import Engine, Route
from inference.upstreams.balancer import Balancer
from inference.upstreams.upstream_runner import UpstreamRunner
from tests.each import each
from tests.upstreams.asking import ASKED, CARD, events_of, loaded, outcome_of
from tests.upstreams.fake_server import HELLO, Wire, delta, fake_server, says_hello


async def test_an_answer_is_streamed_with_the_key_and_the_other_servers_name_of_the_model() -> None:
    async with fake_server(says_hello) as server:
        runner = await loaded([server.address(key="s3cret")])
        first, *rest = await events_of(runner)
        await runner.stop()
    assert isinstance(first, Accepted) and first.prompt_tokens > 0
    assert [event.text for event in rest if isinstance(event, TextDelta)] == ["Hello", " there"]
    assert isinstance(rest[-2], Ended) and rest[-2].reason == "stop"
    assert isinstance(rest[-1], Finished)
    assert (rest[-1].usage.prompt_tokens, rest[-1].usage.cached_tokens) == (11, 7)
    (received,) = server.received
    assert received.line == "POST /v1/chat/completions HTTP/1.1"
    assert received.headers["authorization"] == "Bearer s3cret"
    assert received.body["model"] == "theirs"
    assert received.body["messages"] == [{"role": "user", "content": "Hi \ud800"}]


async def test_every_byte_may_come_alone() -> None:
    async def dribble(wire: Wire) -> None:
        await wire.begin()
        text = ': hello\r\n\r\nevent: x\r\ndata:{"choices":[{"delta":{"content":"héé"}}]}\r\n\r\n'
        for byte in text.encode():
            await wire.send(bytes([byte]))
        await wire.chunks(delta(finish="length"))

    text, end = await outcome_of(dribble)
    assert text == "héé"
    assert isinstance(end, Finished)  # there is no [DONE]; the answer has its finish reason


@each(
    ("chunks", "says"),
    [
        ([delta(content="Hel")], "broke off in the middle"),
        ([delta(content="Hel"), {"error": {"message": "CUDA died at /srv/models/x.py"}}], "CUDA died at …"),
        ([delta(content="Hel"), {"object": "error", "message": "no"}], "broke off: no"),
        ([delta(content="Hel"), "{nonsense"], "no chunk"),
        ([delta(content="Hel"), "[1]"], "no chunk"),
        ([delta(content="Hel"), delta(index=7, content="x")], "no chunk"),
        ([delta(content="Hel"), {"choices": 5}], "no chunk"),
        ([delta(content="Hel"), "[" * 100_000], "no chunk"),
    ],
)
async def test_a_stream_that_breaks_ends_once_with_a_typed_error(chunks: list[object], says: str) -> None:
    async def broken(wire: Wire) -> None:
        await wire.begin()
        await wire.chunks(*chunks)

    text, end = await outcome_of(broken)
    assert text == "Hel"
    assert isinstance(end, UpstreamFailed)
    assert says in end.message


async def test_a_connection_that_drops_ends_the_stream_once() -> None:
    async def drops(wire: Wire) -> None:
        await wire.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        chunk = 'data: {"choices":[{"delta":{"content":"Hel"}}]}\n\n'
        await wire.send(f"{len(chunk):x}\r\n{chunk}\r\n")
        await asyncio.sleep(0.05)
        wire.abort()

    text, end = await outcome_of(drops)
    assert text == "Hel"
    assert isinstance(end, UpstreamFailed) and "closed the connection" in end.message


async def test_silence_and_comments_alone_end_the_stream() -> None:
    async def silent(wire: Wire) -> None:
        await wire.begin()
        await wire.chunks(delta(content="Hel"))
        await wire.left()

    async def comments(wire: Wire) -> None:
        await wire.begin()
        await wire.chunks(delta(content="Hel"))
        while True:
            await wire.send(": still here\n\n")
            await asyncio.sleep(0.05)

    for answer in (silent, comments):
        text, end = await outcome_of(answer, silence_s=0.3)
        assert text == "Hel"
        assert isinstance(end, UpstreamFailed) and "silent for too long" in end.message


async def test_an_event_without_end_is_bounded() -> None:
    async def endless(wire: Wire) -> None:
        await wire.begin()
        while True:
            await wire.send(b"data: " + b"x" * 2**20)

    _, end = await outcome_of(endless, silence_s=60)
    assert isinstance(end, UpstreamFailed) and "too large" in end.message


@each(
    ("status", "kind", "says"),
    [
        ("400 Bad", InvalidRequest, "refuses the request: top_k is unknown"),
        ("401 No", UpstreamFailed, "refuses the key"),
        ("404 No", UpstreamFailed, "does not have the model"),
        ("307 Elsewhere", UpstreamFailed, "redirect, which is never followed"),
        ("429 Busy", QueueFull, "no room"),
        ("503 Busy", QueueFull, "no room"),
        ("500 Oops", UpstreamFailed, "status 500: top_k is unknown"),
        ("204 Nothing", UpstreamFailed, "status 204"),
    ],
)
async def test_each_status_has_its_error(status: str, kind: type[ServerError], says: str) -> None:
    async def refuses(wire: Wire) -> None:
        await wire.begin(status, location="http://169.254.169.254/", retry_after="3")
        await wire.send('{"error": {"message": "top_k is unknown.", "param": "top_k"}}')

    _, end = await outcome_of(refuses)
    assert type(end) is kind
    assert says in end.message
    if kind is InvalidRequest:
        assert end.param == "top_k"
    if kind is QueueFull:
        assert end.retry_after == 3


async def test_a_redirect_is_not_followed() -> None:
    async with fake_server(says_hello) as other:

        async def redirects(wire: Wire) -> None:
            await wire.begin("307 Elsewhere", location=f"http://127.0.0.1:{other.port}/v1/chat/completions")

        await outcome_of(redirects)
    assert other.received == []


async def test_closing_a_stream_closes_the_connection() -> None:
    has_left = asyncio.Event()

    async def goes_on(wire: Wire) -> None:
        await wire.begin()
        await wire.chunks(*HELLO[:2])
        await wire.left()
        has_left.set()

    async with fake_server(goes_on) as server:
        runner = await loaded([server.address()])
        async with aclosing(runner.submit(ASKED)) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    break
        async with asyncio.timeout(60):
            await has_left.wait()
        await runner.stop()


async def test_an_answer_gets_a_limit_where_the_engine_has_a_short_one_or_the_site_has_one() -> None:
    async with fake_server(says_hello) as server:
        engines: list[tuple[Engine, int, int | None]] = [
            ("vllm", 0, None),
            ("mlx-lm", 0, 4096 - 17),
            ("vllm", 50, 50),
        ]
        for engine, most, sent in engines:
            route = Route(model="ours", context_length=4096, addresses=(server.address(engine=engine),))
            runner = UpstreamRunner({"ours": route}.get, Balancer(), silence_s=60, most_tokens=most)
            await runner.load(CARD, lambda progress: None)
            first, *_ = await events_of(runner)
            assert isinstance(first, Accepted) and first.answer_limit == (most or 4096 - 17)
            assert server.received[-1].body.get("max_tokens") == sent
            await runner.stop()


async def test_what_its_model_cannot_do_is_refused_or_noted() -> None:
    async with fake_server(says_hello) as server:
        route = Route(
            model="ours", context_length=4096, addresses=(server.address(engine="openai"),), takes_tools=False
        )
        runner = UpstreamRunner(lambda model: route, Balancer(), silence_s=60)
        await runner.load(CARD, lambda progress: None)
        with pytest.raises(UnsupportedField) as refused:
            await events_of(runner, structs.replace(ASKED, tools=(Tool(name="look"),)))
        assert refused.value.param == "tools"
        first, *_ = await events_of(runner, structs.replace(ASKED, thinking=False))
        assert isinstance(first, Accepted) and first.noted == ("enable_thinking",)
        await runner.stop()


async def test_only_chats_and_completions_are_passed_on() -> None:
    runner = await loaded([])
    with pytest.raises(UnsupportedField) as refused:
        await events_of(runner, TokenizeRequest(of=ASKED))
    assert refused.value.param == "model"
    await runner.stop()
