"""The stream of a stored response once more, and log probabilities in it."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from django.test import AsyncClient

from inference.api.http import keep_alive
from inference.core.events import Accepted, Ended, Event, Progress, TextDelta, TokenLogprob, ToolCallDelta
from inference.core.requests import Request
from tests.api.openai.open_response_events import check_stream
from tests.api.openai.open_responses import check_response
from tests.api.openai.responding import CALLED, ENDED, NOW, SAID, THOUGHT, made, post, telling
from tests.fakes import EventRunner, serving

pytestmark = pytest.mark.django_db(transaction=True)
PATCH = {"type": "custom", "name": "patch"}
GROUP = {"type": "namespace", "name": "group", "tools": [NOW]}
PATCHED: list[Event] = [
    ToolCallDelta(call=0, id="call_a", name="patch", text='{"input": "a\\'),
    ToolCallDelta(call=0, text='n\\"b'),
    ToolCallDelta(call=0, text='"}'),
    ToolCallDelta(call=1, id="call_b", name="group__now", text="{}"),
]


def token(text: str, *others: str) -> TokenLogprob:
    top = tuple(token(other) for other in others)
    return TokenLogprob(text=text, bytes=tuple(text.encode()), logprob=-0.5, top=top)


LIKELY: list[Event] = [
    TextDelta(text="Hel", logprobs=(token("Hel", "Hel", "By"),)),
    TextDelta(text="", logprobs=(token("l"),)),
    TextDelta(text="lo", logprobs=(token("o"),)),
    TextDelta(text="", logprobs=(token(""),)),
]


async def stream_of(runner: EventRunner, **body: Any) -> str:
    with serving(runner):
        response: Any = await post({"input": "Hi", "stream": True} | body)
        return b"".join([part async for part in response.streaming_content]).decode()


async def again(response_id: str, query: str = "") -> str:
    response: Any = await AsyncClient().get(f"/v1/responses/{response_id}?stream=true{query}")
    assert response["Content-Type"] == "text/event-stream"
    return b"".join([part async for part in response.streaming_content]).decode()


@pytest.mark.parametrize("events", [SAID, [*THOUGHT, *SAID, *CALLED], [*SAID, *PATCHED], LIKELY, THOUGHT, []])
@pytest.mark.parametrize("reason", ["stop", "length"])
async def test_a_stored_stream_comes_again_as_it_was(events: list[Event], reason: Any) -> None:
    asked = {
        "include": ["reasoning.encrypted_content"],
        "reasoning": {"summary": "auto"},
        "tools": [NOW, PATCH, GROUP],
    }
    first = check_stream(await stream_of(telling(*events, Ended(reason=reason), ENDED[1]), **asked))
    response_id = first[0]["response"]["id"]
    assert check_stream(await again(response_id)) == first
    assert check_stream(await again(response_id, "&starting_after=3")) == first[4:]
    assert check_stream(await again(response_id, f"&starting_after={len(first)}")) == []


async def test_one_that_came_whole_can_be_streamed_too() -> None:
    answer, _ = await made(telling(*THOUGHT, *SAID, *PATCHED, *ENDED), tools=[PATCH, GROUP])
    events = check_stream(
        await again(answer["id"], "&include=reasoning.encrypted_content&include_obfuscation=false")
    )
    assert events[-1]["response"] == check_response(answer).model_dump(by_alias=True)
    assert "".join(one["delta"] for one in events if one["type"].endswith("output_text.delta")) == "Hello"


# Log probabilities.


@pytest.mark.parametrize("asked", [{"include": ["message.output_text.logprobs"]}, {"top_logprobs": 2}])
async def test_every_token_of_the_text_has_its_log_probability(asked: dict[str, Any]) -> None:
    answer, request = await made(telling(*LIKELY, *ENDED), **asked)
    assert request.logprobs == asked.get("top_logprobs", 0)
    assert answer["top_logprobs"] == asked.get("top_logprobs", 0)
    check_response(answer)
    logprobs = answer["output"][0]["content"][0]["logprobs"]
    assert [one["token"] for one in logprobs] == ["Hel", "l", "o", ""]
    assert [one["token"] for one in logprobs[0]["top_logprobs"]] == ["Hel", "By"]
    events = check_stream(await stream_of(telling(*LIKELY, *ENDED), **asked))
    deltas = [one["logprobs"] for one in events if one["type"] == "response.output_text.delta"]
    assert [[one["token"] for one in piece] for piece in deltas] == [["Hel"], ["l", "o"]]
    (done,) = [one for one in events if one["type"] == "response.output_text.done"]
    assert done["logprobs"] == logprobs


async def test_an_answer_with_log_probabilities_can_be_sent_back() -> None:
    answer, _ = await made(telling(*LIKELY, *ENDED), top_logprobs=2)
    _, request = await made(
        telling(*SAID, *ENDED), input=[*answer["output"], {"role": "user", "content": "And?"}]
    )
    assert request.messages[0].content == "Hello"


# Silence.


class SlowRunner(EventRunner):
    """Answers with a pause before each event, so that each comes by itself."""

    async def submit(self, request: Request, owner: str = "") -> AsyncGenerator[Event]:
        async for event in super().submit(request, owner):
            yield event
            await asyncio.sleep(0.02)


async def test_a_silent_stream_repeats_that_it_is_in_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep_alive, "INTERVAL_S", 0.001)
    progress = [Progress(phase="prefill", done=done, total=3) for done in (1, 2)]
    runner = SlowRunner(Accepted(prompt_tokens=9), *progress, *SAID, *ENDED)
    first = check_stream(await stream_of(runner))
    kinds = [event["type"].removeprefix("response.") for event in first]
    assert kinds[:4] == ["created", "in_progress", "in_progress", "in_progress"]
    assert kinds.count("completed") == 1  # also where the silence is that of the database
    assert [event["sequence_number"] for event in first] == list(range(len(first)))
    replayed = check_stream(await again(first[0]["response"]["id"]))
    assert [event["type"] for event in replayed] == [event["type"] for event in first]
