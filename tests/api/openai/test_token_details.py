"""What vLLM's and llama.cpp's clients ask about tokens: ids, and the log probabilities of the prompt."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from inference.core.events import (
    Accepted,
    Ended,
    Event,
    Finished,
    PromptLogprobs,
    ReasoningDelta,
    TextDelta,
    TokenLogprob,
    Usage,
)
from tests.api.openai.asking import chat, chunks, complete, error_of
from tests.fakes import EventRunner, serving

DONE = Finished(usage=Usage(prompt_tokens=2, completion_tokens=4))
THOUGHT: list[Event] = [
    ReasoningDelta(text="Hm", ids=(5, 6)),
    TextDelta(text="Hi", ids=(7,)),
    Ended(reason="stop", ids=(2,)),
    DONE,
]


def place(token: int, logprob: float | None, *top: tuple[int, float]) -> TokenLogprob:
    others = tuple(
        TokenLogprob(text=f"<{one}>", bytes=(), logprob=value, id=one, rank=rank)
        for rank, (one, value) in enumerate(top, start=1)
    )
    rank = None if logprob is None else 3
    return TokenLogprob(text=f"<{token}>", bytes=(), logprob=logprob, id=token, rank=rank, top=others)


SCORED: list[Event] = [
    PromptLogprobs(logprobs=(place(1, None), place(4, -2.0, (8, -0.5)))),
    PromptLogprobs(logprobs=(place(9, -3.0),)),
]
EXPECTED = [
    None,
    {
        "4": {"logprob": -2.0, "rank": 3, "decoded_token": "<4>"},
        "8": {"logprob": -0.5, "rank": 1, "decoded_token": "<8>"},
    },
    {"9": {"logprob": -3.0, "rank": 3, "decoded_token": "<9>"}},
]


async def whole(ask: Any, *events: Event, **fields: Any) -> dict[str, Any]:
    with serving(EventRunner(*events)):
        response = await ask(**fields)
    answer: dict[str, Any] = json.loads(response.content)
    assert response.status_code == 200, answer
    return answer


async def streamed(ask: Any, *events: Event, **fields: Any) -> list[dict[str, Any]]:
    with serving(EventRunner(*events)):
        return await chunks(await ask(stream=True, **fields))


def accepted(*prompts: tuple[int, ...]) -> Accepted:
    return Accepted(prompt_tokens=2, prompts=prompts)


@pytest.mark.parametrize("hides", [False, True])
async def test_every_token_of_an_answer_has_its_id(hides: bool) -> None:
    fields = {"return_token_ids": True, "return_tokens": True, "include_reasoning": not hides}
    answer = await whole(chat, accepted((1, 4)), *THOUGHT, **fields)
    (choice,) = answer["choices"]
    assert choice["token_ids"] == choice["tokens"] == [5, 6, 7, 2]
    assert answer["prompt_token_ids"] == [1, 4]
    made = await streamed(chat, accepted((1, 4)), *THOUGHT, **fields)
    body = [choice["token_ids"] for one in made for choice in one["choices"] if "token_ids" in choice]
    assert body == ([[5, 6, 7], [2]] if hides else [[5, 6], [7], [2]])
    assert made[0]["prompt_token_ids"] == [1, 4] and made[0]["choices"][0]["delta"]["role"]


async def test_llama_cpps_name_is_for_the_answer_alone() -> None:
    answer = await whole(chat, accepted((1, 4)), *THOUGHT, return_tokens=True)
    assert answer["choices"][0]["tokens"] == [5, 6, 7, 2]
    assert "token_ids" not in answer["choices"][0] and "prompt_token_ids" not in answer


async def test_nobody_receives_tokens_without_asking() -> None:
    answer = await whole(chat, accepted(), *THOUGHT)
    assert not {"prompt_token_ids", "prompt_logprobs"} & answer.keys()
    assert not {"token_ids", "tokens"} & answer["choices"][0].keys()


PROMPTS: Sequence[Event] = [accepted((1,), (3,))]
SAID: Sequence[Event] = [TextDelta(text=str(index), index=index, ids=(index,)) for index in range(4)]
ENDS: Sequence[Event] = [*(Ended(reason="length", index=index) for index in range(4)), DONE]


async def test_a_completions_choice_has_its_own_prompt() -> None:
    fields = {"prompt": ["a", "b"], "n": 2, "return_token_ids": True}
    answer = await whole(complete, *PROMPTS, *SAID, *ENDS, **fields)
    assert [choice["prompt_token_ids"] for choice in answer["choices"]] == [[1], [1], [3], [3]]
    assert [choice["token_ids"] for choice in answer["choices"]] == [[0], [1], [2], [3]]
    made = await streamed(complete, *PROMPTS, *SAID, *ENDS, **fields)
    first = {choice["index"]: choice for one in reversed(made) for choice in one["choices"]}
    assert [first[index]["prompt_token_ids"] for index in range(4)] == [[1], [1], [3], [3]]
    found = [choice for one in made for choice in one["choices"] if "prompt_token_ids" in choice]
    assert len(found) == 4


async def test_a_prompt_has_its_log_probabilities_by_token_id() -> None:
    answer = await whole(chat, Accepted(prompt_tokens=3), *SCORED, *THOUGHT, prompt_logprobs=1)
    assert answer["prompt_logprobs"] == EXPECTED
    text: Sequence[Event] = [TextDelta(text="x"), Ended(reason="length"), DONE]
    answer = await whole(complete, Accepted(prompt_tokens=3), *SCORED, *text, prompt_logprobs=1)
    assert answer["choices"][0]["prompt_logprobs"] == EXPECTED and "prompt_logprobs" not in answer


async def test_a_prompt_may_be_scored_without_an_answer() -> None:
    text: Sequence[Event] = [Ended(reason="length"), DONE]
    answer = await whole(complete, Accepted(prompt_tokens=3), *SCORED, *text, prompt_logprobs=0, max_tokens=0)
    assert answer["choices"][0]["text"] == "" and len(answer["choices"][0]["prompt_logprobs"]) == 3


@pytest.mark.parametrize("ask", [chat, complete])
@pytest.mark.parametrize("value", [-1, 21, True, "1", 1.5])
async def test_a_wrong_number_of_alternatives_is_refused(ask: Any, value: Any) -> None:
    response = await ask(prompt_logprobs=value)
    assert (response.status_code, error_of(response)["param"]) == (400, "prompt_logprobs")


@pytest.mark.parametrize("ask", [chat, complete])
async def test_prompts_are_not_scored_in_a_stream(ask: Any) -> None:
    response = await ask(prompt_logprobs=1, stream=True)
    assert (response.status_code, error_of(response)["param"]) == (400, "prompt_logprobs")


@pytest.mark.parametrize("ask", [chat, complete])
@pytest.mark.parametrize("value", [0, -2, True, "1", 1.5])
async def test_a_limit_of_nothing_is_refused(ask: Any, value: Any) -> None:
    response = await ask(truncate_prompt_tokens=value)
    assert (response.status_code, error_of(response)["param"]) == (400, "truncate_prompt_tokens")


@pytest.mark.parametrize("stream", [False, True])
async def test_a_header_reports_how_many_tokens_were_cut(stream: bool) -> None:
    with serving(EventRunner(Accepted(prompt_tokens=2, cut_tokens=7), *THOUGHT)):
        response = await chat(truncate_prompt_tokens=2, stream=stream)
        assert response["x-mlx-truncated-tokens"] == "7"
    with serving(EventRunner(Accepted(prompt_tokens=2), *THOUGHT)):
        assert "x-mlx-truncated-tokens" not in await chat(truncate_prompt_tokens=2)


async def test_a_gap_is_not_cut() -> None:
    response = await complete(suffix="end", truncate_prompt_tokens=5)
    assert (response.status_code, error_of(response)["param"]) == (400, "truncate_prompt_tokens")


CUT: Sequence[Event] = [
    Accepted(prompt_tokens=2),
    ReasoningDelta(text="Hm"),
    TextDelta(text="Hi"),
    Ended(reason="stop", is_reasoning_cut=True),
    Finished(usage=Usage(prompt_tokens=2, completion_tokens=4, reasoning_tokens=1, reasoning_truncated=True)),
]


async def test_an_answer_reports_that_its_reasoning_was_cut() -> None:
    answer = await whole(chat, *CUT)
    assert answer["choices"][0]["reasoning_truncated"] is True
    details = {"reasoning_tokens": 1, "reasoning_truncated": True}
    assert answer["usage"]["completion_tokens_details"] == details
    made = await streamed(chat, *CUT, stream_options={"include_usage": True})
    assert [one["choices"][0].get("reasoning_truncated") for one in made[:-1]] == [None] * 3 + [True]
    assert made[-1]["usage"]["completion_tokens_details"] == details
    assert "reasoning_truncated" not in json.dumps(await whole(chat, accepted(), *THOUGHT))
