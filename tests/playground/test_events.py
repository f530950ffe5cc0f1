import asyncio
from contextlib import aclosing

from inference.chat import stream
from inference.errors import QueueFull
from inference.openai.feed import Feed
from inference.requests import ChatRequest, Message
from inference.types import Principal, TextDelta
from playground import events
from tests.fakes import FakeRunner, serving

QUESTION = ChatRequest(model="tiny", messages=(Message(role="user", content="Hi"),))


def test_an_event_is_one_line_named_by_its_type() -> None:
    assert events.frame(TextDelta(text="a\n\nb", tokens=2)) == (
        b'data: {"type":"text","text":"a\\n\\nb","index":0,"tokens":2,"logprobs":[]}\n\n'
    )


def test_an_error_is_an_event_too() -> None:
    framed = events.error_frame(QueueFull("Busy.", param="model"))
    assert framed == b'data: {"type":"error","code":"queue_full","message":"Busy.","param":"model"}\n\n'


async def test_bytes_come_before_there_is_news() -> None:
    with serving(FakeRunner(load_gate=asyncio.Event())):
        async with aclosing(events.sent(Feed(stream(QUESTION, Principal(kind="local"))))) as sent:
            assert (await anext(sent)).startswith(b":")


async def test_leaving_cancels_the_answer_and_lets_the_model_go() -> None:
    runner = FakeRunner(hold=asyncio.Event())
    with serving(runner) as pool:
        async with aclosing(events.sent(Feed(stream(QUESTION, Principal(kind="local"))))) as sent:
            while b'"text"' not in await anext(sent):
                continue
        assert (runner.cancelled, runner.running) == (1, 0)
        assert pool.snapshot().of("tiny").leases == 0


async def test_leaving_while_the_model_loads_leaves_the_queue() -> None:
    with serving(FakeRunner(load_gate=asyncio.Event())) as pool:
        async with aclosing(events.sent(Feed(stream(QUESTION, Principal(kind="local"))))) as sent:
            while b'"loading"' not in await anext(sent):
                continue
            assert pool.snapshot().waiting == 1
        assert pool.snapshot().waiting == 0
