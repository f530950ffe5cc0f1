import json
from collections.abc import Sequence
from typing import Any

import pytest

from inference.core.events import Accepted, Ended, Finished, TextDelta, TokenLogprob, Usage
from inference.core.requests import CompletionRequest
from tests.api.openai.asking import chat, chunks, complete, error_of, lines
from tests.fakes import EventRunner, FakeRunner, serving


async def test_it_continues_a_prompt() -> None:
    with serving(FakeRunner((" upon", " a time"), reason="length")):
        answer = json.loads((await complete()).content)
    assert answer["object"] == "text_completion"
    assert answer["choices"] == [
        {"index": 0, "text": " upon a time", "logprobs": None, "finish_reason": "length"}
    ]


async def test_the_model_is_asked_to_echo() -> None:
    runner = FakeRunner()
    with serving(runner):
        await complete(echo=True)
    request = runner.requests[0]
    assert isinstance(request, CompletionRequest) and request.echo


async def test_streamed_and_whole_text_are_the_same() -> None:
    with serving(FakeRunner((" upon", " a time"))):
        received = await chunks(await complete(stream=True))
    assert "".join(chunk["choices"][0]["text"] for chunk in received) == " upon a time"
    assert [chunk["choices"][0]["finish_reason"] for chunk in received] == [None, None, "stop"]


async def test_the_stream_opens_at_once_and_closes_with_done() -> None:
    with serving(FakeRunner()):
        frames = await lines(await complete(stream=True))
    assert (frames[0], frames[-1]) == (": open", "data: [DONE]")


async def test_usage_is_streamed_when_asked() -> None:
    with serving(FakeRunner()):
        received = await chunks(await complete(stream=True, stream_options={"include_usage": True}))
    assert (received[-1]["choices"], received[-1]["usage"]["completion_tokens"]) == ([], 2)


async def test_a_refused_field_is_named() -> None:
    response = await complete(best_of=3)
    assert (response.status_code, error_of(response)["param"]) == (400, "best_of")


# Log probabilities.


def token(text: str, logprob: float | None, *top: tuple[str, float]) -> TokenLogprob:
    others = tuple(TokenLogprob(text=one, bytes=tuple(one.encode()), logprob=value) for one, value in top)
    return TokenLogprob(text=text, bytes=tuple(text.encode()), logprob=logprob, top=others)


def saying(*tokens: TokenLogprob) -> EventRunner:
    deltas = [TextDelta(text=one.text, logprobs=(one,)) for one in tokens]
    return EventRunner(
        Accepted(prompt_tokens=1), *deltas, Ended(reason="length"), Finished(usage=Usage(prompt_tokens=1))
    )


async def logprobs_of(tokens: Sequence[TokenLogprob], is_streamed: bool, **fields: Any) -> list[Any]:
    """The top_logprobs of these tokens."""
    with serving(saying(*tokens)):
        response = await complete(stream=is_streamed, **fields)
        made = await chunks(response) if is_streamed else [json.loads(response.content)]
    found = [choice["logprobs"] for one in made for choice in one["choices"] if choice["logprobs"]]
    return [top for one in found for top in one["top_logprobs"]]


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_the_drawn_token_stands_beside_the_likeliest(is_streamed: bool) -> None:
    drawn = [token(" b", -9.5, (" a", -0.5)), token(" a", -0.5, (" a", -0.5)), token(" c", -7.0)]
    assert await logprobs_of(drawn, is_streamed, logprobs=1) == [
        {" a": -0.5, " b": -9.5},
        {" a": -0.5},
        {" c": -7.0},
    ]


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_without_alternatives_it_stands_alone(is_streamed: bool) -> None:
    drawn = [token(" a", -0.25), token(" b", -3.0)]
    assert await logprobs_of(drawn, is_streamed, logprobs=0) == [{" a": -0.25}, {" b": -3.0}]


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_nothing_comes_before_an_echos_first_token(is_streamed: bool) -> None:
    echoed = [token("Once", None), token(" upon", -4.0, (" more", -1.0))]
    assert await logprobs_of(echoed, is_streamed, logprobs=1, echo=True) == [
        None,
        {" more": -1.0, " upon": -4.0},
    ]


async def test_the_drawn_token_is_listed_though_another_has_its_text() -> None:
    drawn = token("\ufffd", -5.0, ("\ufffd", -1.0), (" a", -2.0), (" a", -3.0))
    assert await logprobs_of([drawn], False, logprobs=3) == [{"\ufffd": -5.0, " a": -2.0}]


async def test_a_chat_receives_the_likeliest_and_no_more() -> None:
    with serving(saying(token(" b", -9.5, (" a", -0.5)), token(" c", -7.0))):
        answer = json.loads((await chat(logprobs=True, top_logprobs=1)).content)
    tops = [one["top_logprobs"] for one in answer["choices"][0]["logprobs"]["content"]]
    assert [[other["token"] for other in top] for top in tops] == [[" a"], []]
