"""POST /v1/responses/compact and /v1/responses/input_tokens."""

import json
from typing import Any

import pytest

from inference.core.events import Accepted, Finished, Tokenized, Usage
from inference.core.requests import TokenizeRequest
from tests.api.openai.asking import error_of
from tests.api.openai.asking import post as ask
from tests.api.openai.open_response_items import check_item
from tests.api.openai.responding import ENDED, NOW, SAID, THOUGHT, made, refused, telling
from tests.fakes import EventRunner, serving

pytestmark = pytest.mark.django_db(transaction=True)
TURNS: list[dict[str, Any]] = [
    {"role": "user", "content": "one"},
    {"role": "assistant", "content": "two"},
    {"type": "function_call", "call_id": "a", "name": "now", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "a", "output": "noon"},
    {"role": "user", "content": "three"},
]
COUNTED = EventRunner(
    Accepted(prompt_tokens=3),
    Tokenized(tokens=((1, 2, 3),), texts=("abc",), context_length=8),
    Finished(usage=Usage(prompt_tokens=3)),
)


async def compacted(**body: Any) -> tuple[dict[str, Any], Any]:
    runner = telling(*THOUGHT, *SAID, *ENDED)
    with serving(runner):
        response = await ask("/v1/responses/compact", {"model": "tiny", "input": TURNS} | body)
    assert response.status_code == 200, response.content
    return json.loads(response.content), runner.requests[-1]


async def test_a_compaction_is_the_users_messages_and_a_summary() -> None:
    answer, request = await compacted(tools=[NOW], instructions="Be brief.")
    assert (answer["object"], answer["usage"]["output_tokens"]) == ("response.compaction", 6)
    assert [item["type"] for item in answer["output"]] == ["message", "message", "compaction"]
    assert [item["content"][0]["text"] for item in answer["output"][:2]] == ["one", "three"]
    assert [message.role for message in request.messages] == [
        "system",
        "user",
        "assistant",
        "tool",
        "user",
        "user",
    ]
    assert request.tools == () and "summary" in request.messages[-1].content
    for item in answer["output"]:
        check_item(item)


async def test_a_conversation_that_the_assistant_ended_is_not_continued() -> None:
    _, request = await compacted(input=TURNS[:2])
    assert request.messages[-1].role == "user" and not request.continues


async def test_it_stands_for_the_conversation_when_it_is_sent_back() -> None:
    answer, _ = await compacted()
    after = {"role": "user", "content": "four"}
    kept, request = await made(telling(*SAID, *ENDED), input=[*answer["output"], after])
    *earlier, summary, last = [message.content for message in request.messages]
    assert (earlier, last) == (["one", "three"], "four") and summary.endswith("\n\nHello")
    _, request = await made(telling(*SAID, *ENDED), input="five", previous_response_id=kept["id"])
    assert request.messages[2].content == summary


async def test_a_stored_conversation_can_be_compacted() -> None:
    first, _ = await made(telling(*SAID, *ENDED), input="one")
    answer, request = await compacted(input="two", previous_response_id=first["id"])
    assert [message.content for message in request.messages[:3]] == ["one", "Hello", "two"]
    assert len(answer["output"]) == 3


async def test_a_compaction_of_another_server_is_left_out_and_one_that_is_broken_refused() -> None:
    foreign = {"type": "compaction", "encrypted_content": "gAAAAABo"}
    with serving(telling(*SAID, *ENDED)):
        response = await ask("/v1/responses", {"model": "tiny", "input": [*TURNS, foreign]})
    assert response["x-mlx-omitted"] == "input.5:compaction"
    broken = foreign | {"encrypted_content": "mlx1.x:y"}
    assert await refused(input=[*TURNS, broken]) == (400, "input.5.encrypted_content")


@pytest.mark.parametrize("path", ["compact", "input_tokens"])
@pytest.mark.parametrize("field", ["stream", "background"])
async def test_these_come_whole(path: str, field: str) -> None:
    response = await ask(f"/v1/responses/{path}", {"model": "tiny", "input": "Hi", field: True})
    assert (response.status_code, error_of(response)["param"]) == (400, field)


async def test_the_tokens_of_an_input_are_counted() -> None:
    body = {
        "model": "tiny",
        "input": TURNS,
        "tools": [NOW],
        "instructions": "Be brief.",
        "personality": "kind",
    }
    with serving(COUNTED):
        response = await ask("/v1/responses/input_tokens", body)
    assert json.loads(response.content) == {"object": "response.input_tokens", "input_tokens": 3}
    asked = COUNTED.requests[-1]
    assert isinstance(asked, TokenizeRequest) and len(asked.of.messages) == 5  # type: ignore[union-attr]
    assert response["x-mlx-noted"] == "personality"
