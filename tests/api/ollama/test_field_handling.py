"""Enforced, refused, noted: each field of Ollama's bodies, the options included."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ollama._types import (
    ChatRequest as PublishedChat,
)
from ollama._types import (
    EmbeddingsRequest,
    EmbedRequest,
    GenerateRequest,
)
from ollama._types import (
    Message as PublishedMessage,
)
from ollama._types import (
    Options as PublishedOptions,
)

from inference.api.http.strict_json import check
from inference.api.http.strict_schema import Strict, noted_in
from inference.api.ollama.schemas import (
    EmbedBody,
    GenerateBody,
    OldEmbeddingBody,
    OllamaChatBody,
)
from inference.api.ollama.schemas.messages import OllamaMessage
from inference.api.ollama.schemas.options import Options
from inference.core.errors import InvalidValue, UnsupportedField
from inference.core.requests import PICTURE, Message, Picture, ToolCall
from tests import vision_extra
from tests.api.ollama.asking import HELLO, ask
from tests.api.ollama.whole_bodies import BODIES, CHAT, FUNCTION, OPTIONS
from tests.api.openai import reference
from tests.api.openai.body_places import paths, replaced
from tests.api.openai.test_reaching import value_at
from tests.api.openai.test_wrong_values import WRONG
from tests.api.openai.test_wrong_values import check as check_error
from tests.each import each
from tests.fakes import FakeRunner, card, serving
from tests.pictures import as_base64, png

PNG = as_base64(png())
SHOWN = Message(
    role="user",
    content=f"{PICTURE}Hi",
    pictures=(Picture(data=png(), media_type="image/png", width=3, height=2),),
)
PLAIN: dict[str, Any] = {"model": "tiny", "messages": HELLO}
PROMPT: dict[str, Any] = {"model": "tiny", "prompt": "Hi"}


@each(
    ("schema", "published"),
    [
        (OllamaChatBody, PublishedChat),
        (GenerateBody, GenerateRequest),
        (EmbedBody, EmbedRequest),
        (OldEmbeddingBody, EmbeddingsRequest),
        (Options, PublishedOptions),
        (OllamaMessage, PublishedMessage),
    ],
)
def test_every_field_of_the_client_is_handled(schema: type[Strict], published: Any) -> None:
    handled = schema.model_fields.keys() | schema.refused.keys() | schema.noted.keys()
    assert published.model_fields.keys() <= handled


def _parts(schema: type[Strict]) -> Iterator[tuple[type[Strict], Any]]:
    """The body's objects, each with how to put fields into it."""
    plain = PROMPT if schema is GenerateBody else PLAIN
    yield schema, lambda fields: plain | fields
    yield Options, lambda fields: plain | {"options": fields}
    yield OllamaMessage, lambda fields: plain | {"messages": [HELLO[0] | fields]}


@pytest.mark.parametrize("schema", [OllamaChatBody, GenerateBody])
def test_it_refuses_each_field_it_does_not_do(schema: type[Strict]) -> None:
    parts = [one for one in _parts(schema) if schema is OllamaChatBody or one[0] is not OllamaMessage]
    for part, within in parts:
        for field, refused in part.refused.items():
            with pytest.raises(UnsupportedField, match="is not supported") as caught:
                check(within({field: "something"}), schema)
            assert caught.value.param and caught.value.param.endswith(field)
            for value in refused.harmless:
                check(within({field: value}), schema)


def test_an_option_of_another_version_is_noted() -> None:
    made = check(PLAIN | {"options": {"whatever": 5}}, OllamaChatBody)
    assert list(noted_in(made)) == ["options.whatever"]


@each(
    ("fields", "meaning"),
    [
        ({"repetition_penalty": 1.5}, {"repeat_penalty": 1.5}),
        ({"num_predict": -1}, {}),
        ({"num_predict": -2}, {}),
        ({"num_predict": 0}, {}),
        ({"seed": -1}, {}),
        ({"top_k": -1}, {"top_k": 0}),
        ({"stop": []}, {}),
        ({"stop": "a"}, {"stop": ["a"]}),
        ({"repeat_last_n": -1, "repeat_penalty": 1.5}, {"repeat_penalty": 1.5}),
        ({"mirostat": 0, "tfs_z": 1, "typical_p": 1, "penalize_newline": True}, {}),
    ],
)
def test_other_spellings_mean_the_same(fields: dict[str, Any], meaning: dict[str, Any]) -> None:
    made, plain = (check(PLAIN | {"options": one}, OllamaChatBody) for one in (fields, meaning))
    assert made.request("tiny") == plain.request("tiny")


CALLED = CHAT["messages"]
TWICE = [{"id": name, "function": {"name": name}} for name in ("now", "then")]
CALLED_TWICE = [*HELLO, {"role": "assistant", "tool_calls": TWICE}]
REACHED: list[tuple[str, dict[str, Any], str, Any]] = [
    *(
        ("chat", {"options": {name: OPTIONS[name]}}, f"sampling.{path}", OPTIONS[name])
        for name, path in {
            **{name: name for name in ("temperature", "top_p", "top_k", "min_p", "seed")},
            **{name: name for name in ("presence_penalty", "frequency_penalty")},
            "repeat_penalty": "repetition_penalty",
        }.items()
    ),
    ("chat", {"options": {"repeat_last_n": 0, "repeat_penalty": 1.5}}, "sampling.repetition_penalty", 1.0),
    ("chat", {"options": {"repeat_last_n": 64, "repeat_penalty": 1.1}}, "sampling.repetition_window", 64),
    ("chat", {"options": {"num_predict": 5}}, "max_tokens", 5),
    ("chat", {"options": {"stop": ["a", "b"]}}, "stop", ("a", "b")),
    ("chat", {"messages": HELLO}, "messages.0", Message(role="user", content="Hello")),
    ("chat", {"messages": [{"role": "User", "content": "Hi"}]}, "messages.0.role", "user"),
    ("chat", {"messages": CALLED}, "messages.1.reasoning", "Hm."),
    (
        "chat",
        {"messages": CALLED},
        "messages.1.tool_calls.0",
        ToolCall(id="a", name="now", arguments='{"zone": "UTC"}'),
    ),
    ("chat", {"messages": CALLED}, "messages.2.tool_call_id", "a"),
    *(
        (
            "chat",
            {"messages": [*CALLED_TWICE, {"role": "tool", "content": "noon", field: "then"}]},
            "messages.2.tool_call_id",
            "then",
        )
        for field in ("tool_name", "tool_call_id")
    ),
    ("chat", {"messages": HELLO}, "continues", False),
    ("chat", {"messages": [*HELLO, {"role": "assistant", "content": "I"}]}, "continues", True),
    ("chat", {"tools": [{"function": FUNCTION}]}, "tools.0.name", "now"),
    ("chat", {"tools": [{"function": FUNCTION}]}, "tools.0.parameters", json.dumps({"type": "object"})),
    ("chat", {"format": "json"}, "schema", '{"type":"object"}'),
    ("chat", {"format": ""}, "schema", ""),
    ("chat", {"format": {"type": "null"}}, "schema", '{"type": "null"}'),
    ("chat", {"think": True}, "thinking", True),
    ("chat", {"think": False}, "thinking", False),
    *(("chat", {"think": level}, "effort", level) for level in ("low", "medium", "high", "max")),
    ("chat", {"logprobs": True}, "logprobs", 0),
    ("chat", {"logprobs": True, "top_logprobs": 5}, "logprobs", 5),
    ("generate", {"prompt": "Hi"}, "messages.0", Message(role="user", content="Hi")),
    ("generate", {"prompt": "Hi", "system": "Be brief."}, "messages.0.content", "Be brief."),
    ("chat", {"messages": [{"role": "user", "content": "Hi", "images": [PNG]}]}, "messages.0", SHOWN),
    ("generate", {"prompt": "Hi", "images": [PNG]}, "messages.0", SHOWN),
    ("generate", {"prompt": "Hi", "think": "high"}, "effort", "high"),
    ("generate", {"prompt": "Hi", "format": "json"}, "schema", '{"type":"object"}'),
    ("generate", {"prompt": "Hi", "raw": True}, "prompts", ("Hi",)),
    ("generate", {"prompt": "Hi", "raw": True, "options": {"seed": 5}}, "sampling.seed", 5),
    ("generate", {"prompt": "Hi", "suffix": "end"}, "suffix", "end"),
    ("generate", {"prompt": "Hi", "suffix": ""}, "messages.0.content", "Hi"),
    ("generate", {"prompt": "Hi", "raw": True, "logprobs": True, "top_logprobs": 2}, "logprobs", 2),
]


@pytest.mark.parametrize(("endpoint", "fields", "path", "value"), REACHED)
async def test_a_field_reaches_the_model(
    endpoint: str,
    fields: dict[str, Any],
    path: str,
    value: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    vision_extra.install(monkeypatch, tmp_path)
    runner = FakeRunner(sees=True)
    with serving(runner, cards=[card(sees=True)]):
        response = await ask(
            endpoint, **(({"messages": HELLO} if endpoint == "chat" else {}) | fields), stream=False
        )
    assert response.status_code == 200, response.content
    assert value_at(runner.requests[0], path) == value


@each(
    ("schema", "fields", "param"),
    [
        (OllamaChatBody, {"options": {"repeat_last_n": 64, "presence_penalty": 1}}, "options.repeat_last_n"),
        (OllamaChatBody, {"top_logprobs": 2}, "top_logprobs"),
        (OllamaChatBody, {"think": "very"}, "think"),
        (OllamaChatBody, {"format": "xml"}, "format"),
        (OllamaChatBody, {"messages": [{"role": "tool", "content": "x"}]}, "messages.0.tool_name"),
        (OllamaChatBody, {"messages": [HELLO[0] | {"thinking": "x"}]}, "messages.0.thinking"),
        (OllamaChatBody, {"messages": [HELLO[0] | {"images": ["aGk="]}]}, "messages.0.images.0"),
        (OllamaChatBody, {"messages": [{"role": "system", "images": [PNG]}]}, "messages.0.images"),
        (GenerateBody, {"prompt": "x", "images": [PNG, "x"]}, "images.1"),
        (GenerateBody, {"prompt": "x", "raw": True, "images": [PNG]}, "images"),
        (GenerateBody, {"prompt": "x", "raw": True, "system": "x"}, "system"),
        (GenerateBody, {"prompt": "x", "suffix": "y", "format": "json"}, "format"),
        (GenerateBody, {"prompt": "x", "raw": True, "think": True}, "think"),
        (GenerateBody, {"prompt": "x", "context": [1, 2]}, "context"),
    ],
)
def test_what_cannot_be_is_refused_by_name(schema: type[Strict], fields: dict[str, Any], param: str) -> None:
    with pytest.raises((InvalidValue, UnsupportedField)) as caught:
        check({"model": "tiny"} | ({"messages": HELLO} if schema is OllamaChatBody else {}) | fields, schema)
    assert caught.value.param == param


@each("name", BODIES)
def test_a_body_with_every_field_is_taken(name: str) -> None:
    schema, body = BODIES[name]
    check(body, schema)


def test_no_field_is_left_out() -> None:
    for schema in {schema for schema, _ in BODIES.values()}:
        bodies = [body for other, body in BODIES.values() if other is schema]
        sent = {".".join(s for s in path if isinstance(s, str)) for body in bodies for path in paths(body)}
        assert {path for _, _, path in reference.fields(schema)} <= sent


@each("name", BODIES)
def test_a_wrong_value_is_named_by_a_place_in_the_body(name: str) -> None:
    schema, body = BODIES[name]
    for path in paths(body):
        for value in WRONG:
            check_error(schema, replaced(body, path, value))
