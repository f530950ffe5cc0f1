"""Enforced, refused, noted: the handling of each field, value and unknown name."""

from typing import Any, get_args

import pytest
from openai.types import completion_create_params
from openai.types.chat import completion_create_params as chat_completion_create_params
from openai.types.chat.chat_completion_stream_options_param import ChatCompletionStreamOptionsParam
from openai.types.embedding_create_params import EmbeddingCreateParams
from openai.types.responses import response_create_params

from inference.api.http.strict_json import check
from inference.api.http.strict_schema import noted_in
from inference.api.openai.schemas import (
    ChatCompletionBody,
    CompletionBody,
    EmbeddingBody,
    RerankBody,
    ResponseBody,
    Strict,
)
from inference.api.openai.schemas.generation import StreamOptions
from inference.core.errors import InvalidRequest, InvalidValue, UnsupportedField
from tests.api.openai.asking import HELLO, chat_body
from tests.api.openai.test_schemas import CALL, chat, read
from tests.each import each
from tests.pictures import data_url, png

SCHEMAS = [ChatCompletionBody, CompletionBody, EmbeddingBody, RerankBody, ResponseBody]
WHOLE = {
    "model": "tiny",
    "messages": [{"role": "user", "content": "x"}],
    "prompt": "x",
    "input": "x",
    "query": "x",
    "documents": ["x"],
}


TOOLS: dict[str, Any] = {"tools": [{"type": "function", "function": {"name": "add"}}]}
CHOICES: list[tuple[Any, str]] = [
    *(({"type": word}, word) for word in ("auto", "none", "required")),
    *((sent, "required") for sent in ("any", {"type": "any"}, {"type": "required", "function": None})),
]
URL = data_url(png())


def _showing(image_url: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": image_url}]}]}


def _fields(*typed_dicts: Any) -> set[str]:
    return set().union(*(typed_dict.__annotations__ for typed_dict in typed_dicts))


@each(
    ("schema", "published"),
    [
        (ChatCompletionBody, _fields(*get_args(chat_completion_create_params.CompletionCreateParams))),
        (CompletionBody, _fields(*get_args(completion_create_params.CompletionCreateParams))),
        (EmbeddingBody, _fields(EmbeddingCreateParams)),
        (ResponseBody, _fields(*get_args(response_create_params.ResponseCreateParams))),
        (StreamOptions, _fields(ChatCompletionStreamOptionsParam)),
    ],
)
def test_every_published_field_is_handled(schema: type[Strict], published: set[str]) -> None:
    assert published <= schema.model_fields.keys() | schema.refused.keys() | schema.noted.keys()


@each("schema", SCHEMAS)
def test_it_refuses_each_field_it_does_not_do(schema: type[Strict]) -> None:
    known = {name: value for name, value in WHOLE.items() if name in schema.model_fields}
    for field in schema.refused:
        with pytest.raises(UnsupportedField, match="is not supported") as caught:
            read(schema, known | {field: "something"})
        assert caught.value.param == field


@each("schema", SCHEMAS)
def test_it_takes_values_that_ask_for_nothing(schema: type[Strict]) -> None:
    known = {name: value for name, value in WHOLE.items() if name in schema.model_fields}
    for field, refused in schema.refused.items():
        for value in refused.harmless:
            assert read(schema, known | {field: value})


@each(
    ("field", "value"),
    [("best_of", True), ("best_of", 2), ("mirostat", False), ("modalities", {})],
)
def test_a_value_that_asks_for_nothing_must_have_its_own_type(field: str, value: Any) -> None:
    schema = CompletionBody if field == "best_of" else ChatCompletionBody
    body = {"model": "tiny", "prompt": "x"} if field == "best_of" else chat_body()
    with pytest.raises(UnsupportedField):
        read(schema, body | {field: value})


def test_it_suggests_the_field_that_was_meant() -> None:
    with pytest.raises(UnsupportedField, match="Did you mean 'temperature'"):
        chat(temprature=1)


def _parts(kind: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": kind, "text": "Hi"}]}]}


@each(
    ("fields", "meaning"),
    [
        ({"top_k": -1}, {"top_k": 0}),
        ({"max_tokens": -1}, {}),
        ({"max_completion_tokens": -1}, {}),
        ({"stop": []}, {}),
        ({"stop": ""}, {}),
        ({"stop": ["", "a"]}, {"stop": "a"}),
        ({"repeat_penalty": 1.1}, {"repetition_penalty": 1.1}),
        ({"n_predict": 7}, {"max_tokens": 7}),
        ({"random_seed": 7, "safe_prompt": False, "documents": [], "echo": False}, {"seed": 7}),
        *((_parts(kind), _parts("text")) for kind in ("input_text", "output_text")),
        ({"cache_salt": "a"}, {"prompt_cache_key": "a"}),
        ({"n": 1, "logprobs": False, "mirostat": 0, "typical_p": 1.0}, {}),
        ({"reasoning_effort": "default"}, {}),
        ({"reasoning": {"effort": "default"}}, {}),
        *((TOOLS | {"tool_choice": sent}, TOOLS | {"tool_choice": word}) for sent, word in CHOICES),
        (_showing(URL), _showing({"url": URL})),
    ],
)
def test_other_spellings_mean_the_same(fields: dict[str, Any], meaning: dict[str, Any]) -> None:
    assert chat(**fields) == chat(**meaning)


def test_an_error_names_the_alias_that_was_sent() -> None:
    with pytest.raises(InvalidValue) as caught:
        chat(repeat_penalty="high")
    assert caught.value.param == "repeat_penalty"
    with pytest.raises(InvalidValue, match="differs from repetition_penalty") as caught:
        chat(repeat_penalty=1.1, repetition_penalty=1.2)
    assert caught.value.param == "repeat_penalty"
    assert chat(repeat_penalty=1.1, repetition_penalty=1.1) == chat(repeat_penalty=1.1)


def test_marks_that_clients_add_inside_a_body_are_noted() -> None:
    marked = {
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "x", "cache_control": {}}], "id": "m1"},
            {"role": "assistant", "content": None, "tool_calls": [CALL | {"extra_content": {}}]},
        ],
        "tools": [{"type": "function", "cache_control": {}, "function": {"name": "add", "returns": {}}}],
        "response_format": {"type": "json_schema", "json_schema": {"schema": {}, "description": "A form."}},
    }
    assert set(noted_in(read(ChatCompletionBody, chat_body(**marked)))) == {
        "messages.0.id",
        "messages.0.content.0.cache_control",
        "messages.1.tool_calls.0.extra_content",
        "tools.0.cache_control",
        "tools.0.function.returns",
        "response_format.json_schema.description",
    }


def test_unknown_names_at_the_top_are_noted_where_the_operator_says_so() -> None:
    made = check(chat_body(temprature=1), ChatCompletionBody, notes_unknown=True)
    assert list(noted_in(made)) == ["temprature"]


@each(
    ("fields", "param"),
    [
        ({"enable_thinking": True, "think": False}, "think"),
        ({"reasoning_effort": "low", "reasoning": {"effort": "high"}}, "reasoning.effort"),
        (
            {"thinking_budget": 5, "thinking": {"type": "enabled", "budget_tokens": 6}},
            "thinking.budget_tokens",
        ),
        ({"chat_template_kwargs": {"enable_thinking": "yes"}}, "chat_template_kwargs.enable_thinking"),
        ({"chat_template_kwargs": {"messages": "x"}}, "chat_template_kwargs.messages"),
        ({"chat_template_kwargs": {"a": [1]}}, "chat_template_kwargs.a"),
        ({"chat_template_kwargs": {"a b": 1}}, "chat_template_kwargs.a b"),
        ({"thinking": {"type": "often"}}, "thinking.type"),
        ({"thinking_budget": -2}, "thinking_budget"),
        ({"think": "much"}, "think"),
    ],
)
def test_fields_about_thinking_agree_and_are_what_they_say(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        chat(**fields)
    assert (caught.value.param or "").startswith(param)


def test_fields_about_thinking_may_be_sent_under_several_names_that_agree() -> None:
    both = {"enable_thinking": False, "think": False, "thinking": {"type": "disabled"}}
    assert chat(**both) == chat(enable_thinking=False)
    assert read(ChatCompletionBody, chat_body(reasoning={"effort": "low"})).own_names == {
        "reasoning_effort": "reasoning.effort"
    }


ANSWER = {"role": "assistant", "content": "Once"}


@each(
    ("fields", "last", "continues"),
    [
        ({}, {}, True),
        ({"continue_final_message": True, "add_generation_prompt": False}, {}, True),
        ({}, {"prefix": True}, True),
        ({}, {"content": None, "reasoning_content": "Hm"}, True),
        ({"continue_final_message": False}, {}, False),
        ({"add_generation_prompt": True}, {}, False),
        ({}, {"role": "user"}, False),
        ({}, {"content": ""}, False),
        ({"add_generation_prompt": True}, {"role": "user"}, False),
    ],
)
def test_a_last_assistant_message_is_continued(
    fields: dict[str, Any], last: dict[str, Any], continues: bool
) -> None:
    assert chat(messages=[*HELLO, ANSWER | last], **fields).continues is continues


@each(
    ("fields", "messages", "param"),
    [
        ({"continue_final_message": True}, HELLO, "continue_final_message"),
        ({"add_generation_prompt": False}, HELLO, "add_generation_prompt"),
        ({"continue_final_message": True, "add_generation_prompt": True}, [ANSWER], "add_generation_prompt"),
        ({}, [ANSWER | {"prefix": True}, *HELLO], "messages.0.prefix"),
        ({}, [{"role": "user", "content": "x", "prefix": True}], "messages.0.prefix"),
        ({}, [{"role": "assistant", "tool_calls": [CALL], "prefix": True}], "messages.0.prefix"),
    ],
)
def test_nothing_else_can_be_continued(
    fields: dict[str, Any], messages: list[dict[str, Any]], param: str
) -> None:
    with pytest.raises(InvalidValue) as caught:
        chat(messages=messages, **fields)
    assert caught.value.param == param
