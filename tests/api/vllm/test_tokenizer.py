import json
from pathlib import Path
from typing import Any

import pytest
from django.test import AsyncClient

from inference.core.config import Config
from inference.core.events import Accepted, Finished, Tokenized, Usage
from inference.core.requests import ChatRequest, CompletionRequest, DetokenizeRequest, TokenizeRequest
from tests.api.openai.asking import HELLO, error_of, post
from tests.each import each
from tests.fakes import EventRunner, card, serving


def telling(*ids: int) -> EventRunner:
    received = Tokenized(
        tokens=(ids,), texts=("Hi there",), context_length=2048, entries=(("Hi", "Ġthere")[: len(ids)],)
    )
    return EventRunner(Accepted(prompt_tokens=0), received, Finished(usage=Usage(prompt_tokens=len(ids))))


async def asked(path: str, body: dict[str, Any], *ids: int) -> tuple[Any, Any]:
    runner = telling(*ids)
    with serving(runner):
        response = await post(path, body)
    assert response.status_code == 200, response.content
    return json.loads(response.content), runner.requests[0]


async def test_a_text_is_tokenized() -> None:
    answer, request = await asked("/tokenize", {"model": "tiny", "prompt": "Hi there"}, 4, 5)
    assert answer == {"count": 2, "max_model_len": 2048, "tokens": [4, 5], "token_strs": None}
    assert request == TokenizeRequest(
        of=CompletionRequest(model="tiny", prompts=("Hi there",)), adds_special=True
    )


async def test_tokens_may_come_without_those_around_a_text() -> None:
    body = {"prompt": "", "add_special_tokens": False, "return_token_strs": True}
    answer, request = await asked("/tokenize", body, 4, 5)
    assert answer["token_strs"] == ["Hi", "Ġthere"]
    assert (request.adds_special, request.with_pieces, request.model) == (False, True, "tiny")


@each(
    ("fields", "opens", "continues"),
    [
        ({}, True, False),
        ({"add_generation_prompt": False}, False, False),
        ({"add_generation_prompt": False, "continue_final_message": True}, False, True),
        ({"continue_final_message": True}, False, True),
    ],
)
async def test_a_conversation_ends_as_it_is_asked_for(
    fields: dict[str, Any], opens: bool, continues: bool
) -> None:
    options = {"chat_template_kwargs": {"enable_thinking": False}, "return_token_strs": True}
    answer, request = await asked("/tokenize", {"messages": HELLO} | options | fields, 4)
    assert (request.with_pieces, answer["token_strs"]) == (True, ["Hi"])
    assert isinstance(request.of, ChatRequest)
    assert (request.of.opens_answer, request.of.continues) == (opens, continues)
    assert request.of.template_options == (("enable_thinking", False),)


async def test_functions_are_a_part_of_the_prompt() -> None:
    tools = [{"type": "function", "function": {"name": "now"}}]
    _, request = await asked("/tokenize", {"messages": HELLO, "tools": tools}, 4)
    assert [tool.name for tool in request.of.tools] == ["now"]


@pytest.mark.parametrize("tokens", [[4, 5], []])
async def test_tokens_become_text_again(tokens: list[int]) -> None:
    answer, request = await asked("/detokenize", {"tokens": tokens}, 4)
    assert answer == {"prompt": "Hi there"}
    assert request == DetokenizeRequest(model="tiny", tokens=tuple(tokens))


async def received(cards: list[Any], query: str = "") -> Any:
    with serving(telling(4), cards=cards):
        response = await AsyncClient().get(f"/tokenizer_info{query}")
    return response


async def test_the_settings_of_a_tokenizer_are_returned(tmp_path: Path) -> None:
    settings = {
        "tokenizer_class": "T",
        "eos_token": {"content": "</s>", "lstrip": False},
        "chat_template": "hi",
    }
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    (tmp_path / "special_tokens_map.json").write_text('{"bos_token": "<s>", "eos_token": "x"}')
    for query in ("", "?model=tiny"):
        answer = json.loads((await received([card(path=str(tmp_path))], query)).content)
        assert (answer["eos_token"], answer["bos_token"], answer["pad_token"]) == ("</s>", "<s>", None)
        assert (answer["tokenizer_class"], answer["chat_template"]) == ("T", "hi")


async def test_a_model_that_makes_text_is_meant_beside_others() -> None:
    with serving(telling(4), cards=[card("tiny"), card("vectors", kind="embedding")]):
        assert (await post("/tokenize", {"prompt": "x"})).status_code == 200


@each(
    ("path", "body"),
    [
        ("/tokenize", {"prompt": "x"}),
        ("/tokenize", {"messages": HELLO}),
        ("/detokenize", {"tokens": [4]}),
    ],
)
async def test_a_model_may_be_named(path: str, body: dict[str, Any]) -> None:
    runner = telling(4)
    with serving(runner, runner, cards=[card("tiny"), card("other")]):
        for model in ("other", "tiny"):
            response = await post(path, body | {"model": model})
            assert response.status_code == 200, response.content
    assert [request.model for request in runner.requests] == ["other", "tiny"]


async def test_a_model_need_not_be_named_where_there_is_one() -> None:
    two = [card("tiny"), card("other")]
    with serving(telling(4), cards=two):
        response = await post("/tokenize", {"prompt": "x"})
        assert error_of(response)["param"] == "model" and "2 models" in error_of(response)["message"]
        await post("/tokenize", {"prompt": "x", "model": "other"})
        assert (await post("/tokenize", {"prompt": "x"})).status_code == 200
    assert error_of(await received([card()], "?model=none"))["code"] == "model_not_found"


@each(
    ("path", "body", "param"),
    [
        ("/tokenize", {}, "prompt"),
        ("/tokenize", {"prompt": [1, 2]}, "prompt"),
        ("/tokenize", {"messages": []}, "messages"),
        ("/tokenize", {"messages": HELLO, "chat_template": "x"}, "chat_template"),
        ("/tokenize", {"messages": HELLO, "add_special_tokens": True}, "add_special_tokens"),
        (
            "/tokenize",
            {"messages": HELLO, "add_generation_prompt": True, "continue_final_message": True},
            "continue_final_message",
        ),
        ("/tokenize", {"messages": [{"role": "tool", "content": "x"}]}, "messages.0.tool_call_id"),
        ("/detokenize", {"tokens": [-1]}, "tokens.0"),
        ("/detokenize", {}, "tokens"),
    ],
)
async def test_what_is_wrong_is_named(path: str, body: dict[str, Any], param: str) -> None:
    with serving(telling(4)):
        response = await post(path, body)
    assert (response.status_code, error_of(response)["param"]) == (400, param)


async def test_what_is_noted_changes_nothing() -> None:
    with serving(telling(4)):
        response = await post("/tokenize", {"messages": HELLO, "mm_processor_kwargs": {"a": 1}})
    assert response["x-mlx-noted"] == "mm_processor_kwargs"


@pytest.mark.parametrize("path", ["/tokenize", "/detokenize", "/tokenizer_info", "/rerank", "/v2/rerank"])
async def test_a_stranger_receives_nothing(path: str, settings: Any) -> None:
    settings.CONFIG = Config(api_key="sesame")
    ask = AsyncClient().get if path.endswith("info") else AsyncClient().post
    response = await ask(path, content_type="application/json")
    assert (response.status_code, error_of(response)["code"]) == (401, "invalid_api_key")
