"""Errors of the pool and of the worker name the fields of the body that was sent."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inference.api.http import field_names
from inference.api.openai.responses.conversation import conversation
from inference.api.openai.schemas import (
    ChatCompletionBody,
    CompletionBody,
    EmbeddingBody,
    RerankBody,
    ResponseBody,
)
from inference.core.config import BASE_DIR
from inference.core.errors import (
    ContextLengthExceeded,
    InvalidValue,
    ModelLoadFailed,
    PoolFull,
    ServerError,
    UnsupportedField,
)
from tests.api.openai.asking import HELLO, error_of, post
from tests.api.openai.responding import NOW
from tests.fakes import FakeRunner, card, serving

pytestmark = pytest.mark.django_db(transaction=True)
SCHEMA = {"type": "json_schema", "schema": {"type": "object"}}
TOO_LONG = "This model's context is 8 tokens. Shorten the prompt or lower max_tokens."
RESPONSE = ResponseBody(model="tiny", input="Hi")


@pytest.mark.parametrize(
    ("param", "here"),
    [
        ("messages", "input"),
        ("messages.3.content", "input"),
        ("max_tokens", "max_output_tokens"),
        ("model", "model"),
        ("tools", "tools"),
        ("tools.0.type", "tools.0.type"),
        ("tools.12.function.parameters", "tools.12.parameters"),
        ("tools.1.function", "tools.1"),
        ("tool_choice", "tool_choice"),
        ("tool_choice.function.name", "tool_choice.name"),
        ("response_format", "text.format"),
        ("response_format.type", "text.format"),
        ("response_format.json_schema.schema", "text.format.schema"),
        ("reasoning_effort", "reasoning.effort"),
    ],
)
def test_a_field_of_a_chat_has_its_name_in_a_response(param: str, here: str) -> None:
    assert field_names.path_of(param, RESPONSE.own_names) == here


def sent(*inputs: Any, instructions: str = "", before: tuple[dict[str, Any], ...] = ()) -> dict[str, str]:
    body = ResponseBody.model_validate(
        {"model": "tiny", "input": list(inputs), "instructions": instructions or None}
    )
    return {**body.own_names, **conversation(before, body, {}).fields}


THOUGHT = {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "Hm."}]}
CALLS = [{"type": "function_call", "call_id": name, "name": "now", "arguments": "{"} for name in "ab"]
RESULT = {"type": "function_call_output", "call_id": "a", "output": "noon"}
SAID = {"role": "assistant", "content": "So."}


@pytest.mark.parametrize(
    ("param", "here"),
    [
        ("messages.0.content", "input.0.content"),
        ("messages.1", "input.2"),
        ("messages.1.content", "input.2.content"),
        ("messages.1.tool_calls.0.function.arguments", "input.3.arguments"),
        ("messages.1.tool_calls.1.function.arguments", "input.4.arguments"),
        ("messages.1.tool_calls.1.function.name", "input.4.name"),
        ("messages.2.tool_call_id", "input.5.call_id"),
        ("messages.2.content", "input.5.output"),
        ("messages.3", "input.6"),
        ("messages.9.content", "input"),
    ],
)
def test_a_message_is_the_item_that_it_came_from(param: str, here: str) -> None:
    names = sent(HELLO[0], THOUGHT, SAID, *CALLS, RESULT, THOUGHT, HELLO[0])
    assert field_names.path_of(param, names) == here


@pytest.mark.parametrize(
    ("param", "here"),
    [
        ("messages.0.content", "instructions"),
        ("messages.1.content", "previous_response_id"),
        ("messages.2.tool_calls.0.function.arguments", "previous_response_id"),
        ("messages.3.content", "input.0.output"),
    ],
)
def test_a_message_that_was_not_sent_is_the_field_it_came_by(param: str, here: str) -> None:
    stored = (
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
        CALLS[0],
    )
    assert field_names.path_of(param, sent(RESULT, instructions="Be brief.", before=stored)) == here


def test_an_error_keeps_all_but_its_message() -> None:
    error = PoolFull("Lower max_tokens, not my_max_tokens.", param="max_tokens", retry_after=7)
    changed = field_names.renamed(error, RESPONSE.own_names)
    assert (type(changed), changed.retry_after, changed.param) == (PoolFull, 7, "max_output_tokens")
    assert str(changed) == changed.message == "Lower max_output_tokens, not my_max_tokens."
    assert error.param == "max_tokens"


REFUSALS: list[tuple[str, dict[str, Any], ServerError, str | None]] = [
    ("responses", {"input": "Hi"}, ContextLengthExceeded(TOO_LONG, param="messages"), "input"),
    ("responses", {"input": "Hi"}, InvalidValue("No.", param="reasoning_effort"), "reasoning.effort"),
    ("responses", {"input": "Hi"}, InvalidValue("No.", param="max_tokens"), "max_output_tokens"),
    ("responses", {"input": "Hi"}, UnsupportedField("No.", param="tool_choice"), "tool_choice"),
    (
        "responses",
        {"input": "Hi", "tools": [NOW]},
        InvalidValue("No.", param="tools.0.function.parameters"),
        "tools.0.parameters",
    ),
    ("responses", {"input": "Hi"}, ModelLoadFailed("No."), None),
    ("chat/completions", {"messages": HELLO}, ContextLengthExceeded(TOO_LONG, param="messages"), "messages"),
    ("chat/completions", {"messages": HELLO}, InvalidValue("No.", param="max_tokens"), "max_tokens"),
    (
        "chat/completions",
        {"messages": HELLO, "max_completion_tokens": 5},
        InvalidValue("No.", param="max_tokens"),
        "max_completion_tokens",
    ),
    ("completions", {"prompt": "Hi"}, ContextLengthExceeded(TOO_LONG, param="prompt"), "prompt"),
    (
        "tokenize",
        {"messages": HELLO, "max_completion_tokens": 5},
        InvalidValue("No.", param="max_tokens"),
        "max_completion_tokens",
    ),
]


@pytest.mark.parametrize(("endpoint", "body", "error", "param"), REFUSALS)
async def test_a_refusal_names_the_field_that_was_sent(
    endpoint: str, body: dict[str, Any], error: ServerError, param: str | None
) -> None:
    with serving(FakeRunner(refuse_with=error)):
        response = await post(f"/v1/{endpoint}", {"model": "tiny"} | body)
    assert (response.status_code, error_of(response)["param"]) == (error.status, param)


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_its_message_does_too_streamed_or_not(is_streamed: bool) -> None:
    with serving(FakeRunner(refuse_with=ContextLengthExceeded(TOO_LONG, param="messages"))):
        response = await post("/v1/responses", {"model": "tiny", "input": "Hi", "stream": is_streamed})
    assert (
        error_of(response)["message"]
        .partition(" The context of this model")[0]
        .endswith("lower max_output_tokens.")
    )


OF_OTHER_DIALECTS: list[tuple[str, dict[str, Any], str, str]] = [
    ("/v1/messages", {"max_tokens": 9}, "reasoning_effort", "output_config.effort"),
    ("/v1/messages", {"max_tokens": 9}, "response_format", "output_config.format"),
    ("/v1/messages", {"max_tokens": 9, "output_format": SCHEMA}, "response_format", "output_format"),
    ("/v1/messages", {"max_tokens": 9}, "stop", "stop_sequences"),
    ("/v1/messages", {"max_tokens": 9}, "tools.1.function.parameters", "tools.1.input_schema"),
    ("/v1/messages/count_tokens", {}, "thinking_budget", "thinking.budget_tokens"),
    ("/ollama/api/chat", {}, "max_tokens", "options.num_predict"),
    ("/ollama/api/chat", {}, "seed", "options.seed"),
    ("/ollama/api/chat", {}, "response_format", "format"),
    ("/ollama/api/generate", {"prompt": "Hi"}, "repetition_window", "options.repeat_last_n"),
]


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize(("address", "body", "name", "here"), OF_OTHER_DIALECTS)
async def test_messages_of_other_dialects_name_the_field_that_was_sent(
    address: str, body: dict[str, Any], name: str, here: str, is_streamed: bool
) -> None:
    stream = {} if address.endswith("tokens") else {"stream": is_streamed}
    fields = {"model": "tiny"} | stream | ({} if "prompt" in body else {"messages": HELLO}) | body
    refusal = UnsupportedField(f"{name} is not supported here; leave it out.", param=name)
    with serving(FakeRunner(refuse_with=refusal)):
        response = await post(address, fields)
    assert (response.status_code, f'"{here} is not supported here' in response.content.decode()) == (
        400,
        True,
    )


async def test_a_refusal_of_the_pool_is_about_the_text_and_not_about_the_ceiling() -> None:
    body = {"model": "tiny", "input": "Hi", "max_output_tokens": 10**6}
    with serving(FakeRunner(), cards=[card(kv_bytes_per_token=10**7, context_cap=8192)]):
        assert (await post("/v1/responses", body)).status_code == 200
        error = error_of(await post("/v1/responses", body | {"input": "word " * 1000}))
    assert error["param"] is None and "send less text" in error["message"]
    assert "max_" not in error["message"]


# No name is forgotten.

FOLDERS = ("worker", "adapters", "pool")
BODIES = (ChatCompletionBody, CompletionBody, EmbeddingBody, RerankBody)
NOT_OF_A_RESPONSE = {
    *("prompt", "suffix", "dimensions", "tokens", "logit_bias", "chat_template_kwargs"),
    *("query", "documents"),
    "logprobs",  # of an echo
    *("prompt_logprobs", "truncate_prompt_tokens"),
}


def names_in(path: Path) -> Iterator[str]:
    """The beginnings of all fields that errors of a file name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.keyword) and node.arg == "param":
            for part in ast.walk(node.value):
                if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value[0] != ".":
                    yield part.value.split(".")[0]


def test_every_field_that_the_server_names_is_one_of_each_body() -> None:
    files = [path for folder in FOLDERS for path in (BASE_DIR / "inference" / folder).rglob("*.py")]
    named = {name for path in files for name in names_in(path)}
    known = {field for body in BODIES for field in body.model_fields} | {"tokens"}
    here = {field_names.path_of(name, RESPONSE.own_names).split(".")[0] for name in named - NOT_OF_A_RESPONSE}
    assert {"messages", "model", "response_format"} <= named <= known
    assert here <= ResponseBody.model_fields.keys()
