"""Enforced, refused, noted: the handling of each field of a body in Anthropic's form."""

import json
from pathlib import Path
from typing import Any

import pytest

from inference.api.anthropic.schemas import CountTokensBody, MessagesBody
from inference.api.http.strict_json import check
from inference.api.http.strict_schema import noted_in
from inference.core.errors import InvalidValue, UnsupportedField
from tests.api.anthropic.asking import HELLO, asked, body, error_of, read, send, text
from tests.api.openai.asking import post
from tests.api.openai.test_reaching import value_at
from tests.each import each
from tests.fakes import FakeRunner, serving

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
FORM = {"type": "json_schema", "schema": SCHEMA}


def _fields(*typed_dicts: Any) -> set[str]:
    return set().union(*(typed_dict.__annotations__ for typed_dict in typed_dicts))


def test_every_published_field_is_handled() -> None:
    # Imported here: each process that collects tests would take five seconds for it.
    from anthropic.types import message_count_tokens_params, message_create_params
    from anthropic.types.beta import message_create_params as beta_message_create_params

    plain: Any = message_create_params.MessageCreateParams
    beta: Any = beta_message_create_params.MessageCreateParams
    counted = message_count_tokens_params.MessageCountTokensParams
    assert not _fields(*plain.__args__, *beta.__args__) - _handled(MessagesBody)
    assert not _fields(counted) - _handled(CountTokensBody)


def _handled(schema: type[CountTokensBody]) -> set[str]:
    return schema.model_fields.keys() | schema.refused.keys() | schema.noted.keys()


REACHING: list[tuple[dict[str, Any], str, Any]] = [
    ({"max_tokens": 7}, "max_tokens", 7),
    ({"max_tokens": 0}, "max_tokens", 1),
    ({"temperature": 0.5}, "sampling.temperature", 0.5),
    ({"temperature": -0.0}, "sampling.temperature", 0.0),
    ({"top_p": 0.5}, "sampling.top_p", 0.5),
    ({"top_p": 0}, "sampling.top_p", 1e-6),
    ({"top_k": 5}, "sampling.top_k", 5),
    ({"top_k": -1}, "sampling.top_k", 0),
    ({"stop_sequences": ["a", "", "b"]}, "stop", ("a", "b")),
    ({"thinking": {"type": "disabled"}}, "thinking", False),
    ({"thinking": {"type": "adaptive"}}, "thinking", None),
    ({"thinking": {"type": "between_tools"}}, "thinking", None),
    ({"thinking": {"type": "enabled", "budget_tokens": 9}}, "thinking", True),
    ({"thinking": {"type": "enabled", "budget_tokens": 9}}, "thinking_budget", 9),
    ({"thinking": {"type": "enabled"}}, "thinking_budget", None),
    ({}, "thinking", None),
    ({"output_config": {"effort": "max"}}, "effort", "max"),
    *(({"output_config": {"effort": effort}}, "effort", "") for effort in (None, "default")),
    ({"output_config": {"format": FORM}}, "schema", json.dumps(SCHEMA)),
    ({"output_format": FORM}, "schema", json.dumps(SCHEMA)),
    ({"output_format": FORM, "output_config": {"format": FORM}}, "schema", json.dumps(SCHEMA)),
    ({"metadata": {"user_id": "session_1"}}, "labels", (("user_id", "session_1"),)),
    ({"metadata": {"user_id": "session_1"}}, "user", ""),
]


@each(("fields", "path", "value"), REACHING)
async def test_a_field_reaches_the_model(fields: dict[str, Any], path: str, value: Any) -> None:
    runner = FakeRunner()
    with serving(runner):
        response = await send(**fields)
    assert response.status_code == 200, response.content
    assert value_at(runner.requests[0], path) == value


@pytest.mark.parametrize("schema", [MessagesBody, CountTokensBody])
def test_it_refuses_each_field_it_does_not_do(schema: type[CountTokensBody]) -> None:
    known = {name: value for name, value in body().items() if name in schema.model_fields}
    for field, refused in schema.refused.items():
        for value in (None, *refused.harmless):
            check(known | {field: value}, schema)
        with pytest.raises(UnsupportedField, match="is not supported") as caught:
            check(known | {field: "something"}, schema)
        assert caught.value.param == field


def test_marks_for_the_cache_are_taken_everywhere_without_a_list() -> None:
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    call = {"type": "tool_use", "id": "a", "name": "now", "input": {}} | mark
    result = {"type": "tool_result", "tool_use_id": "a", "content": [text("noon", **mark)]} | mark
    made = read(
        **mark,
        system=[text("x", **mark)],
        tools=[{"name": "now", "input_schema": {}} | mark, {"type": "bash_20250124", "name": "bash"} | mark],
        messages=[
            {"role": "user", "content": [text("x", **mark)]},
            {"role": "assistant", "content": [text("x", **mark), call]},
            {"role": "user", "content": [result]},
        ],
    )
    assert list(noted_in(made)) == []


def test_marks_of_clients_inside_a_body_are_noted() -> None:
    made = read(
        messages=[{"role": "user", "content": [text("x", id="1")], "uuid": "2"}],
        metadata={"team": "blue"},
        thinking={"type": "adaptive", "mode": "x"},
        output_config={"task_budget": {"total": 5}},
    )
    assert sorted(noted_in(made)) == [
        "messages.0.content.0.id",
        "messages.0.uuid",
        "metadata.team",
        "output_config.task_budget",
        "thinking.mode",
    ]


@each(
    ("fields", "param"),
    [
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": "5"}, "max_tokens"),
        ({"model": ""}, "model"),
        ({"temperature": 3}, "temperature"),
        ({"top_p": 2}, "top_p"),
        ({"stop_sequences": "END"}, "stop_sequences"),
        ({"stop_sequences": ["a"] * 65}, "stop_sequences"),
        ({"stream": "yes"}, "stream"),
        ({"thinking": {"type": "on"}}, "thinking.type"),
        ({"thinking": {"type": "enabled", "budget_tokens": 50}}, "thinking.budget_tokens"),
        ({"thinking": {"type": "enabled", "budget_tokens": -1}}, "thinking.budget_tokens"),
        ({"output_config": {"effort": "huge"}}, "output_config.effort"),
        ({"output_config": {"format": {"type": "json"}}}, "output_config.format.type"),
        ({"output_format": {"type": "json_schema"}}, "output_format.schema"),
        ({"output_format": FORM, "output_config": {"format": FORM | {"schema": {}}}}, "output_format"),
        ({"metadata": {"user_id": 5}}, "metadata.user_id"),
    ],
)
def test_a_wrong_value_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        read(**fields)
    assert caught.value.param == param


def test_max_tokens_are_required_for_an_answer_alone() -> None:
    with pytest.raises(InvalidValue, match="'max_tokens' is required"):
        check({"model": "tiny", "messages": HELLO}, MessagesBody)
    check({"model": "tiny", "messages": HELLO}, CountTokensBody)


async def test_an_unknown_name_is_refused_unless_an_agent_sends_it() -> None:
    with serving(FakeRunner()):
        response = await send(max_token=5)
        assert "Did you mean 'max_tokens'?" in error_of(response)["message"]
        agent = {"User-Agent": "claude-cli/2.1.9 (external, cli)"}
        response = await post("/v1/messages", body(novelty=5), headers=agent)
    assert response.status_code == 200
    assert response["x-mlx-noted"] == "novelty"


RECORDED = {path.stem: json.loads(path.read_text()) for path in Path(__file__).parent.glob("bodies/*.json")}


@pytest.mark.parametrize("recorded", RECORDED.values(), ids=RECORDED)
async def test_a_recorded_body_of_an_agent_is_answered(recorded: dict[str, Any]) -> None:
    runner = FakeRunner()
    fields = recorded | {"model": "tiny"}
    with serving(runner):
        response = await send(**fields)
    assert response.status_code == 200, response.content
    assert runner.requests == [asked(**fields)]


def test_there_are_recorded_bodies() -> None:
    assert RECORDED
