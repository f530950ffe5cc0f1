"""/v1/responses with the official client on the real site and the real starter model."""

import json
from typing import Annotated, Any

import httpx
import openai
import pytest
from openai import OpenAI
from pydantic import BaseModel, ConfigDict, Field

from tests.api.openai.open_response_events import check_stream
from tests.api.openai.open_responses import check_response
from tests.e2e.site import STARTER, Site
from tests.nightly import nightly, of_each_kind

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def client(site: Site) -> OpenAI:
    return OpenAI(base_url=f"{site.url}/v1", api_key="not-needed", max_retries=0, timeout=120)


def ask(client: OpenAI, question: Any = "What is the capital of France?", **wishes: Any) -> Any:
    return client.responses.create(
        model=STARTER, input=question, **({"temperature": 0, "max_output_tokens": 32} | wishes)
    )


def test_it_answers_whole_and_streamed(client: OpenAI) -> None:
    whole = ask(client)
    events = list(ask(client, stream=True))
    pieces = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "Paris" in whole.output_text and "".join(pieces) == whole.output_text
    assert events[-1].type == "response.completed"
    assert events[-1].response.usage.output_tokens == whole.usage.output_tokens


def test_the_clients_own_stream_gathers_the_events(client: OpenAI) -> None:
    asked = "What is the capital of France?"
    with client.responses.stream(model=STARTER, input=asked, temperature=0) as stream:
        final = stream.get_final_response()
    assert "Paris" in final.output_text


def test_a_conversation_goes_on_from_the_last_response(client: OpenAI) -> None:
    first = ask(client, "My name is Ada. Remember it.", max_output_tokens=12)
    second = ask(client, "What is my name?", previous_response_id=first.id, max_output_tokens=12)
    assert second.usage.input_tokens > first.usage.input_tokens + first.usage.output_tokens
    assert second.usage.input_tokens_details.cached_tokens > 0
    items = client.responses.input_items.list(second.id)
    asked: list[Any] = list(items.data)
    assert [item.content[0].text for item in asked] == ["What is my name?"]


def test_the_client_parses_an_answer_into_its_own_model(client: OpenAI) -> None:
    class Capital(BaseModel):
        model_config = ConfigDict(extra="forbid")
        city: Annotated[str, Field(max_length=20)]

    made = client.responses.parse(
        model=STARTER,
        input="The capital of France?",
        text_format=Capital,
        temperature=0,
        max_output_tokens=60,
    )
    assert made.output_parsed == Capital(city="Paris")


@nightly
def test_a_call_is_made_and_answered(client: OpenAI) -> None:
    city = {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}},
        "required": ["city"],
    }
    tool = {
        "type": "function",
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": city,
    }
    wishes: Any = {"tools": [tool], "parallel_tool_calls": False, "max_output_tokens": 60}
    called = ask(client, "What is the weather in Rome?", tool_choice="required", **wishes)
    (call,) = called.output
    assert "city" in json.loads(call.arguments)
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "Sunny, 31 degrees."}
    answer = ask(client, [result], previous_response_id=called.id, tool_choice="none", **wishes)
    assert answer.output_text


WEATHER = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}}
OWN = {"temperature": 0.2, "top_p": 0.9}  # the starter model's generation_config.json
WISHES: list[dict[str, Any]] = [
    {},
    {"temperature": 0, "max_output_tokens": 4},
    {
        "input": [
            {"role": "system", "content": "You are a pirate."},
            {"role": "user", "content": "Say hello."},
        ]
    },
    {"tools": [WEATHER], "tool_choice": "required", "parallel_tool_calls": False, "max_output_tokens": 40},
]


@pytest.mark.parametrize("wishes", of_each_kind(WISHES, [WISHES[-1]]))
def test_a_response_has_all_that_open_responses_requires(site: Site, wishes: dict[str, Any]) -> None:
    body = {"model": STARTER, "input": "Say hello.", "max_output_tokens": 8} | wishes
    address = f"{site.url}/v1/responses"
    whole = httpx.post(address, json=body, timeout=120).json()
    streamed = check_stream(httpx.post(address, json=body | {"stream": True}, timeout=120).text)
    assert check_response(whole).status in {"completed", "incomplete"}
    used = [(one["temperature"], one["top_p"]) for one in (whole, streamed[0]["response"])]
    assert used == [(wishes.get("temperature", OWN["temperature"]), OWN["top_p"])] * 2
    assert httpx.get(f"{address}/{whole['id']}").json() == whole


@nightly
def test_a_response_that_is_gone_is_not_found(client: OpenAI) -> None:
    made = ask(client)
    assert client.responses.retrieve(made.id).output_text == made.output_text
    client.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)
    with pytest.raises(openai.NotFoundError) as refusal:
        ask(client, previous_response_id=made.id)
    assert refusal.value.param == "previous_response_id"
