import asyncio
import json
from typing import Any

import pytest

from inference.core.errors import ContextLengthExceeded, QueueFull, WorkerDied
from inference.core.events import ReasoningDelta
from tests.api.openai.asking import chat, chunks, error_of, lines
from tests.each import each
from tests.fakes import FakeRunner, serving


class ThinkingRunner(FakeRunner):
    """Reasons before it answers."""

    async def submit(self, request: Any, owner: str = "") -> Any:
        events = super().submit(request)
        async for event in events:
            yield event
            if event.__class__.__name__ == "Accepted":
                yield ReasoningDelta(text="Hm. ")


async def test_it_answers_with_the_whole_text_and_its_usage() -> None:
    with serving(FakeRunner(("Hel", "lo"), prompt_tokens=5)):
        answer = json.loads((await chat()).content)
    assert answer["object"] == "chat.completion"
    assert answer["choices"][0]["message"] == {"role": "assistant", "content": "Hello", "refusal": None}
    assert answer["usage"] == {
        "prompt_tokens": 5,
        "completion_tokens": 2,
        "total_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


async def test_the_stream_begins_with_the_role_and_ends_with_done() -> None:
    with serving(FakeRunner(("Hel", "lo"), reason="length")):
        frames = await lines(await chat(stream=True))
    deltas = [json.loads(frame.removeprefix("data: "))["choices"][0] for frame in frames[:-1]]
    assert [choice["delta"] for choice in deltas] == [
        {"role": "assistant", "content": ""},
        {"content": "Hel"},
        {"content": "lo"},
        {},
    ]
    assert [choice["finish_reason"] for choice in deltas] == [None, None, None, "length"]
    assert frames[-1] == "data: [DONE]"


async def test_a_stream_is_one_answer() -> None:
    with serving(FakeRunner()):
        received = await chunks(await chat(stream=True))
    assert len({(chunk["id"], chunk["created"], chunk["model"], chunk["object"]) for chunk in received}) == 1
    assert received[0]["id"].startswith("chatcmpl-")


async def test_usage_is_streamed_only_when_asked() -> None:
    with serving(FakeRunner()):
        silent = await chunks(await chat(stream=True))
        asked = await chunks(await chat(stream=True, stream_options={"include_usage": True}))
    assert not any("usage" in chunk for chunk in silent)
    assert [chunk["usage"] for chunk in asked[:-1]] == [None] * (len(asked) - 1)
    assert (asked[-1]["choices"], asked[-1]["usage"]["total_tokens"]) == ([], 7)


@each("text", ["a\n\nb", "data: [DONE]\n\n", "\r\n", "\u2028", "😀", '"}', "\x00"])
async def test_streamed_and_whole_text_are_the_same(text: str) -> None:
    with serving(FakeRunner((text, text))):
        whole = json.loads((await chat()).content)["choices"][0]["message"]["content"]
        received = await chunks(await chat(stream=True))
    assert whole == "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in received) == text * 2


async def test_reasoning_is_kept_apart() -> None:
    with serving(ThinkingRunner(("Yes",))):
        message = json.loads((await chat()).content)["choices"][0]["message"]
        received = await chunks(await chat(stream=True))
    assert (message["content"], message["reasoning_content"]) == ("Yes", "Hm. ")
    assert received[1]["choices"][0]["delta"] == {"reasoning_content": "Hm. "}


@pytest.mark.parametrize("is_stream", [True, False])
async def test_a_refusal_has_its_own_status_streamed_or_not(is_stream: bool) -> None:
    with serving(FakeRunner(refuse_with=ContextLengthExceeded("Too long.", param="messages"))):
        response = await chat(stream=is_stream)
    assert response.status_code == 400
    assert error_of(response)["code"] == "context_length_exceeded"


@pytest.mark.parametrize("is_stream", [True, False])
async def test_a_model_that_does_not_load_is_a_refusal(is_stream: bool) -> None:
    with serving(FakeRunner(load_error="it has no weights")):
        response = await chat(stream=is_stream)
    assert (response.status_code, error_of(response)["code"]) == (503, "model_load_failed")


async def test_a_full_queue_says_when_to_come_back() -> None:
    with serving(FakeRunner(refuse_with=QueueFull("Busy.", retry_after=1.2))):
        response = await chat(stream=True)
    assert (response.status_code, response["Retry-After"]) == (429, "2")


async def test_an_unknown_model_is_not_found() -> None:
    with serving(FakeRunner()):
        response = await chat(model="../../etc/passwd")
    assert (response.status_code, error_of(response)["param"]) == (404, "model")


async def test_a_stream_that_breaks_ends_in_an_error_without_done() -> None:
    with serving(FakeRunner(("Hel",), fail_with=WorkerDied("The model's process ended."))):
        frames = await lines(await chat(stream=True))
    assert json.loads(frames[-1].removeprefix("data: "))["error"]["code"] == "worker_died"
    assert "data: [DONE]" not in frames


async def test_a_whole_answer_that_breaks_is_an_error() -> None:
    with serving(FakeRunner(("Hel",), fail_with=WorkerDied("The model's process ended."))):
        response = await chat()
    assert (response.status_code, error_of(response)["type"]) == (500, "server_error")


@pytest.mark.parametrize("is_stream", [True, False])
async def test_an_unexpected_error_discloses_nothing_of_itself(is_stream: bool) -> None:
    class BrokenRunner(FakeRunner):
        async def submit(self, request: Any, owner: str = "") -> Any:
            if request:
                raise RuntimeError("/home/someone/secret")
            yield  # it is a generator

    with serving(BrokenRunner()):
        response = await chat(stream=is_stream)
    assert (response.status_code, error_of(response)["code"]) == (500, "internal_error")
    assert b"secret" not in response.content


async def test_a_reader_that_leaves_mid_stream_cancels() -> None:
    runner = FakeRunner(hold=asyncio.Event())
    with serving(runner):
        response = await chat(stream=True)
        frames = aiter(response)
        for _ in range(2):
            await anext(frames)
        await frames.aclose()
    assert (runner.cancelled, runner.running) == (1, 0)


@pytest.mark.parametrize("is_stream", [True, False])
async def test_a_client_that_leaves_before_the_first_token_cancels(is_stream: bool) -> None:
    runner = FakeRunner(("never",), delay_s=600)
    is_read = asyncio.Event()
    with serving(runner) as pool:
        asking = asyncio.create_task(_read(is_stream, is_read))
        while not (is_read.is_set() if is_stream else runner.running):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking])
        while runner.running:
            await asyncio.sleep(0)
        assert pool.snapshot().of("tiny").leases == 0
    assert runner.cancelled == 1


async def _read(is_stream: bool, is_read: asyncio.Event) -> None:
    async for _ in await chat(stream=is_stream):
        is_read.set()


async def test_a_client_that_leaves_while_the_model_loads_cancels_nothing_but_itself() -> None:
    gate = asyncio.Event()
    runner = FakeRunner(load_gate=gate)
    with serving(runner) as pool:
        asking = asyncio.create_task(_read(True, asyncio.Event()))
        while not runner.loads:
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking])
        gate.set()
        assert (await chat()).status_code == 200
    assert (runner.loads, pool.snapshot().waiting) == (["tiny"], 0)
