"""Structured answers of a random model on a real worker: it means nothing, and always follows its schema."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from msgspec import structs

from inference.core.errors import InvalidValue
from inference.core.events import Ended, Event, Finished, TextDelta, ToolCallDelta
from inference.core.requests import ChatRequest, Sampling
from inference.pool import ProcessRunner
from tests.adapters.family_models import ADD, NOW
from tests.fakes import card
from tests.pool.worker_models import OPTIONS, ask, chat
from tests.tiny import make_tiny_model

pytestmark = [pytest.mark.mlx, pytest.mark.asyncio(loop_scope="module")]
SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"enum": ["Rome", "Oslo", "東京"]},
        "people": {"type": "integer", "minimum": 0, "maximum": 999},
        "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 3},
    },
    "required": ["city", "people", "tags"],
    "additionalProperties": False,
}
WILD = Sampling(temperature=1.5, seed=1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def runner(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ProcessRunner]:
    folder: Path = make_tiny_model(tmp_path_factory.mktemp("models") / "tiny")
    runner = ProcessRunner(structs.replace(OPTIONS, prefix_cache_bytes=2**24), stuck_after_s=120)
    await runner.load(card(path=str(folder)), lambda progress: None)
    yield runner
    await runner.stop()


def structured(**fields: Any) -> ChatRequest:
    own: dict[str, Any] = {"schema": json.dumps(SCHEMA), "sampling": WILD, "max_tokens": 400} | fields
    return chat(**own)


def texts(events: list[Event]) -> list[str]:
    count = sum(isinstance(event, Ended) for event in events)
    deltas = [event for event in events if isinstance(event, TextDelta)]
    return ["".join(d.text for d in deltas if d.index == index) for index in range(count)]


def follows(text: str) -> bool:
    answer = json.loads(text)
    return (
        list(answer) == ["city", "people", "tags"]
        and answer["city"] in ("Rome", "Oslo", "東京")
        and 0 <= answer["people"] <= 999
        and len(answer["tags"]) <= 3
    )


async def test_every_answer_follows_the_schema_and_ends(runner: ProcessRunner) -> None:
    events = await ask(runner, structured(n=8))
    answers = texts(events)
    assert all(map(follows, answers)) and len(set(answers)) > 1
    assert {event.reason for event in events if isinstance(event, Ended)} == {"stop"}


async def test_a_batch_mixes_free_and_structured_answers(runner: ProcessRunner) -> None:
    canary = chat(sampling=Sampling(temperature=1.0, seed=3), max_tokens=60)
    alone = texts(await ask(runner, canary))
    free, *others = await asyncio.gather(
        ask(runner, canary),
        *(ask(runner, structured(sampling=structs.replace(WILD, seed=seed))) for seed in range(4)),
    )
    assert texts(free) == alone
    assert all(follows(text) for events in others for text in texts(events))


async def test_the_same_seed_gives_the_same_structured_answer(runner: ProcessRunner) -> None:
    assert texts(await ask(runner, structured())) == texts(await ask(runner, structured()))


async def test_a_bias_cannot_lead_out_of_the_schema(runner: ProcessRunner) -> None:
    biased = Sampling(temperature=0, logit_bias=tuple((token, 100.0) for token in range(30)))
    assert follows(texts(await ask(runner, structured(sampling=biased)))[0])


async def test_what_cannot_come_has_no_infinite_log_probability(runner: ProcessRunner) -> None:
    events = await ask(runner, structured(logprobs=20))
    drawn = [one for event in events if isinstance(event, TextDelta) for one in event.logprobs]
    values = [other.logprob for one in drawn for other in one.top]
    assert drawn and all(value is not None and value >= -9999 for value in values)
    assert all(one.logprob is not None and one.logprob > -100 for one in drawn)


async def test_a_required_call_is_made_by_a_model_that_never_learnt_to(runner: ProcessRunner) -> None:
    request = chat(
        tools=(NOW, ADD), must_call=("now",), may_call_several=False, sampling=WILD, max_tokens=300
    )
    events = await ask(runner, request)
    calls = [event for event in events if isinstance(event, ToolCallDelta)]
    assert [call.name for call in calls if call.name] == ["now"]
    assert isinstance(json.loads("".join(call.text for call in calls)), dict)
    assert [event.reason for event in events if isinstance(event, Ended)] == ["tool_calls"]


@pytest.mark.parametrize("most", [1, 2, 9, 12, 15, 24, 39, 45, 60])
async def test_a_required_call_that_is_cut_has_no_marks_for_a_text(runner: ProcessRunner, most: int) -> None:
    request = chat(tools=(ADD,), must_call=("add",), may_call_several=False, sampling=WILD, max_tokens=most)
    events = await ask(runner, structs.replace(request, follows_schemas=True))
    assert texts(events) == [""]
    drawn = [event for event in events if isinstance(event, TextDelta | ToolCallDelta)]
    (finished,) = [event for event in events if isinstance(event, Finished)]
    assert sum(event.tokens for event in drawn) == finished.usage.completion_tokens <= most


# At `a`, behind a number that nobody can foresee, are more ways to go on than llguidance follows.
LEADS_ASTRAY = {
    "type": "object",
    "properties": {
        "z": {"type": "integer", "minimum": 1, "maximum": 9},
        "a": {
            "anyOf": [
                {
                    "anyOf": [
                        {
                            "type": "object",
                            "properties": {f"p{k}{j}{i}": {"type": "null"} for i in range(20)},
                            "additionalProperties": False,
                        }
                        for j in range(6)
                    ]
                }
                for k in range(6)
            ]
        },
    },
    "required": ["z", "a"],
    "additionalProperties": False,
}


async def test_an_answer_that_can_follow_its_schema_no_further_costs_nobody_else(
    runner: ProcessRunner,
) -> None:
    canary = chat(sampling=Sampling(temperature=0), max_tokens=60)
    before = await ask(runner, canary)
    beside = asyncio.ensure_future(ask(runner, canary))
    with pytest.raises(InvalidValue, match="nothing follows the schema") as refusal:
        await ask(runner, structured(schema=json.dumps(LEADS_ASTRAY)))
    assert refusal.value.param == "response_format.json_schema.schema"
    assert texts(await beside) == texts(before)
    (finished,) = [event for event in await ask(runner, canary) if isinstance(event, Finished)]
    assert finished.usage.cached_tokens > 0  # nothing of what was stored is dropped


async def test_a_schema_that_cannot_be_enforced_disturbs_nobody(runner: ProcessRunner) -> None:
    canary = asyncio.ensure_future(ask(runner, chat(max_tokens=40)))
    with pytest.raises(InvalidValue, match="'not'") as refusal:
        await ask(runner, structured(schema='{"not": {"type": "string"}}', has_strict_schema=True))
    assert refusal.value.param == "response_format.json_schema.schema"
    assert texts(await canary) == texts(await ask(runner, chat(max_tokens=40)))
