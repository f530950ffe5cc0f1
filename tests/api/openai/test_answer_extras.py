"""What an answer has besides its choices, asked for as clients do: in the body, through the views."""

import json
from typing import Any

import pytest

from inference.core.events import (
    Accepted,
    Ended,
    Event,
    Finished,
    Progress,
    ReasoningDelta,
    TextDelta,
    Usage,
)
from tests.api.openai.asking import chat, chunks, complete
from tests.each import each
from tests.fakes import EventRunner, serving

ANSWER: tuple[Event, ...] = (
    Accepted(prompt_tokens=4),
    Progress(phase="prefill", done=1, total=4),
    ReasoningDelta(text="Hm."),
    TextDelta(text="Hi"),
    Ended(reason="stop"),
    Finished(usage=Usage(prompt_tokens=4, completion_tokens=2, cached_tokens=3)),
)
ASKS = pytest.mark.parametrize("ask", [chat, complete])


async def whole(ask: Any, **fields: Any) -> Any:
    with serving(EventRunner(*ANSWER)):
        return json.loads((await ask(**fields)).content)


async def streamed(ask: Any, **fields: Any) -> list[Any]:
    with serving(EventRunner(*ANSWER)):
        return await chunks(await ask(stream=True, **fields))


@ASKS
@pytest.mark.parametrize("is_wanted", [True, False, None])
async def test_timings_come_where_they_are_asked_for(ask: Any, is_wanted: bool | None) -> None:
    answers = (await whole(ask, timings=is_wanted), (await streamed(ask, timings=is_wanted))[-1])
    for answer in answers:
        assert ("timings" in answer) == bool(is_wanted)
        assert not is_wanted or answer["timings"]["cache_n"] == 3


@ASKS
@pytest.mark.parametrize("is_wanted", [True, False, None])
async def test_progress_comes_where_it_is_asked_for(ask: Any, is_wanted: bool | None) -> None:
    found = [
        chunk["prompt_progress"]["processed"]
        for chunk in await streamed(ask, return_progress=is_wanted)
        if "prompt_progress" in chunk
    ]
    assert found == ([1] if is_wanted else [])


@ASKS
@pytest.mark.parametrize("is_wanted", [True, False, None])
async def test_usage_so_far_comes_where_it_is_asked_for(ask: Any, is_wanted: bool | None) -> None:
    options = {"include_usage": True, "continuous_usage_stats": is_wanted}
    *first, last = await streamed(ask, stream_options=options)
    assert last["usage"]["completion_tokens"] == 2
    assert all(bool(chunk["usage"]) == bool(is_wanted) for chunk in first)


@each(
    ("fields", "is_shown"),
    [
        ({}, True),
        ({"include_reasoning": True}, True),
        ({"include_reasoning": False}, False),
        ({"reasoning": {"exclude": True}}, False),
        ({"reasoning": {"exclude": False}}, True),
    ],
)
async def test_reasoning_stays_away_where_it_is_not_wanted(fields: dict[str, Any], is_shown: bool) -> None:
    message = (await whole(chat, **fields))["choices"][0]["message"]
    assert ("reasoning_content" in message) == is_shown and message["content"] == "Hi"
    deltas = [chunk["choices"][0]["delta"] for chunk in await streamed(chat, **fields)]
    assert any("reasoning_content" in delta for delta in deltas) == is_shown
