import json
from typing import Any

from inference.core.events import Accepted, Finished, Tokenized, Usage
from inference.core.requests import ChatRequest, CompletionRequest, DetokenizeRequest, TokenizeRequest
from tests.api.openai.asking import HELLO, error_of, post
from tests.each import each
from tests.fakes import EventRunner, serving


def telling(*prompts: tuple[int, ...]) -> EventRunner:
    """A model that makes these tokens of whatever it is asked."""
    received = Tokenized(
        tokens=prompts, texts=tuple(f"text {ids[0]}" for ids in prompts), context_length=2048
    )
    return EventRunner(Accepted(prompt_tokens=0), received, Finished(usage=Usage(prompt_tokens=3)))


async def asked(address: str, runner: EventRunner, **fields: Any) -> tuple[Any, Any]:
    """The answer to a body, and what the model was asked."""
    with serving(runner):
        response = await post(f"/v1/{address}", {"model": "tiny"} | fields)
    assert response.status_code == 200, response.content
    return json.loads(response.content), runner.requests[0]


async def refused(address: str, **fields: Any) -> dict[str, Any]:
    with serving(EventRunner()):
        response = await post(f"/v1/{address}", {"model": "tiny"} | fields)
    assert response.status_code == 400
    return error_of(response)


async def test_a_prompts_tokens_have_their_text() -> None:
    answer, request = await asked("tokenize", telling((4, 5, 6)), prompt="Once")
    assert answer == {
        "object": "tokens",
        "model": "tiny",
        "tokens": [4, 5, 6],
        "count": 3,
        "context_length": 2048,
        "prompt": "text 4",
    }
    assert isinstance(request, TokenizeRequest) and isinstance(request.of, CompletionRequest)


async def test_a_list_of_prompts_is_answered_with_lists() -> None:
    answer, _ = await asked("tokenize", telling((4, 5), (6,)), prompt=["Once", "more"])
    assert (answer["tokens"], answer["prompt"], answer["count"]) == ([[4, 5], [6]], ["text 4", "text 6"], 3)


async def test_a_list_of_one_prompt_is_still_a_list() -> None:
    answer, _ = await asked("tokenize", telling((4, 5)), prompt=["Once"])
    assert answer["tokens"] == [[4, 5]]


async def test_a_conversation_is_asked_as_the_endpoint_would() -> None:
    tool = {"type": "function", "function": {"name": "look"}}
    body = {"messages": HELLO, "tools": [tool], "reasoning_effort": "low"}
    answer, request = await asked("tokenize", telling((4, 5)), **body)
    assert isinstance(request.of, ChatRequest)
    assert [tool.name for tool in request.of.tools] == ["look"]
    assert request.of.effort == "low"
    assert answer["tokens"] == [4, 5]


@each(
    ("fields", "param"),
    [
        ({}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": [[-1]]}, "prompt.0.0"),
        ({"prompt": "a", "stream": True}, "stream"),
        ({"messages": HELLO, "stream": True}, "stream"),
        ({"messages": HELLO, "prompt": "a"}, "prompt"),
        ({"messages": [], "n": 1}, "messages"),
    ],
)
async def test_what_cannot_be_tokenised_is_named(fields: dict[str, Any], param: str) -> None:
    assert (await refused("tokenize", **fields))["param"] == param


async def test_tokens_become_text_again() -> None:
    answer, request = await asked("detokenize", telling((4, 5)), tokens=[4, 5])
    assert answer == {"object": "text", "model": "tiny", "prompt": "text 4"}
    assert request == DetokenizeRequest(model="tiny", tokens=(4, 5))


@each("tokens", [[], [True], ["1"], [1.5], [-1], 3, None])
async def test_only_token_ids_are_detokenised(tokens: Any) -> None:
    assert (await refused("detokenize", tokens=tokens))["param"].startswith("tokens")


async def test_pieces_are_what_each_token_stands_for() -> None:
    received = Tokenized(
        tokens=((4, 5),), texts=("é",), context_length=8, pieces=((b"Hi", b"\xc3"),), entries=(("Hi", "Ã"),)
    )
    for name in ("pieces", "with_pieces"):
        runner = EventRunner(Accepted(prompt_tokens=0), received, Finished(usage=Usage(prompt_tokens=2)))
        answer, request = await asked("tokenize", runner, prompt="Once", **{name: True})
        assert answer["pieces"] == ["Hi", [0xC3]]
        assert request.with_pieces


async def test_pieces_of_several_prompts_are_lists() -> None:
    received = Tokenized(
        tokens=((4,), (5,)),
        texts=("a", "b"),
        context_length=8,
        pieces=((b"a",), (b"b",)),
        entries=(("a",), ("b",)),
    )
    runner = EventRunner(Accepted(prompt_tokens=0), received, Finished(usage=Usage(prompt_tokens=2)))
    answer, _ = await asked("tokenize", runner, prompt=["a", "b"], pieces=True)
    assert answer["pieces"] == [["a"], ["b"]]
