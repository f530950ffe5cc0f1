"""Answers that follow schemas, and tool calls: the official `openai` client and the real starter model."""

import json
from typing import Annotated, Any

import openai
import pytest
from openai import OpenAI
from pydantic import BaseModel, ConfigDict, Field

from tests.e2e.site import STARTER, Site
from tests.nightly import nightly

pytestmark = pytest.mark.e2e
FRANCE: Any = [{"role": "user", "content": "What is the capital of France?"}]


@pytest.fixture(scope="module")
def client(site: Site) -> OpenAI:
    return OpenAI(base_url=f"{site.url}/v1", api_key="not-needed", max_retries=0, timeout=120)


CITY = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "maxLength": 20},
        "people": {"type": "integer", "minimum": 0, "maximum": 99999999},
    },
    "required": ["city", "people"],
    "additionalProperties": False,
}
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "maxLength": 20}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}


def test_an_answer_follows_its_schema(client: OpenAI) -> None:
    form: Any = {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY, "strict": True}}
    answers = client.chat.completions.create(
        model=STARTER, messages=FRANCE, response_format=form, temperature=1, seed=5, n=3, max_tokens=80
    )
    for choice in answers.choices:
        answer = json.loads(choice.message.content or "")
        assert set(answer) == {"city", "people"} and isinstance(answer["people"], int)
        assert choice.finish_reason == "stop"


def test_a_json_object_is_one(client: OpenAI) -> None:
    answer = client.chat.completions.create(
        model=STARTER,
        messages=[{"role": "user", "content": "Name one colour as JSON."}],
        response_format={"type": "json_object"},
        temperature=0,
        max_tokens=200,
    )
    assert answer.choices[0].finish_reason == "length" or isinstance(
        json.loads(answer.choices[0].message.content or ""), dict
    )


def test_the_client_parses_an_answer_into_its_own_model(client: OpenAI) -> None:
    class Capital(BaseModel):
        model_config = ConfigDict(extra="forbid")
        city: Annotated[str, Field(max_length=20)]

    made = client.chat.completions.parse(
        model=STARTER, messages=FRANCE, response_format=Capital, temperature=0, max_tokens=60
    )
    assert made.choices[0].message.parsed == Capital(city="Paris")


@nightly
def test_a_required_call_streams_and_its_result_is_answered(client: OpenAI) -> None:
    asked: list[Any] = [{"role": "user", "content": "What is the weather in Rome?"}]
    options: Any = {"model": STARTER, "tools": [WEATHER], "temperature": 0, "max_tokens": 60}
    options["parallel_tool_calls"] = False
    with client.chat.completions.stream(messages=asked, tool_choice="required", **options) as stream:
        message = stream.get_final_completion().choices[0].message
    (call,) = (message.tool_calls or [])[:1]
    assert call.function.name == "weather"
    assert "Rome" in json.loads(call.function.arguments)["city"]
    called: Any = {
        "role": "assistant",
        "tool_calls": [call.model_dump(exclude={"function": {"parsed_arguments"}})],
    }
    result: Any = {"role": "tool", "tool_call_id": call.id, "content": "Sunny, 31 degrees."}
    answer = client.chat.completions.create(messages=[*asked, called, result], **options)
    assert answer.choices[0].message.content or answer.choices[0].message.tool_calls


def test_a_schema_that_cannot_be_enforced_is_refused(client: OpenAI) -> None:
    form: Any = {"type": "json_schema", "json_schema": {"name": "odd", "schema": {"not": {}}}}
    with pytest.raises(openai.BadRequestError, match="'not'") as refusal:
        client.chat.completions.create(model=STARTER, messages=FRANCE, response_format=form)
    assert refusal.value.param == "response_format.json_schema.schema"
