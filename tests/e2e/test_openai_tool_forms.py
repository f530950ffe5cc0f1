"""Custom tools, allowed tools and older functions: the `openai` client and a real site with a tiny model."""

import json
import re
from typing import Any

import pytest
from openai import OpenAI

from tests.e2e.site import Site

pytestmark = pytest.mark.e2e
ASKED: Any = [{"role": "user", "content": "What is the weather in Rome?"}]
WEATHER: Any = {
    "name": "weather",
    "description": "The weather in a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"enum": ["Rome", "Oslo"]}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
FORM = r'[0-9]{2}["\\\n][a-c]'
DIAL: Any = {
    "type": "custom",
    "custom": {
        "name": "dial",
        "format": {"type": "grammar", "grammar": {"syntax": "regex", "definition": FORM}},
    },
}
CHOICES: list[Any] = [
    {"type": "custom", "custom": {"name": "dial"}},
    {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [DIAL]}},
]


@pytest.fixture(scope="module")
def client(tiny_site: Site) -> OpenAI:
    return OpenAI(base_url=f"{tiny_site.url}/v1", api_key="not-needed", max_retries=0, timeout=120)


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice["type"])
def test_the_input_of_a_custom_tool_follows_its_grammar_whole_and_streamed(
    client: OpenAI, choice: Any
) -> None:
    tools: Any = [{"type": "function", "function": WEATHER}, DIAL]
    options: Any = {"model": "tiny", "tools": tools, "temperature": 1, "seed": 3, "max_tokens": 60}
    message = client.chat.completions.create(messages=ASKED, tool_choice=choice, **options).choices[0].message
    (call,) = message.tool_calls or []
    assert call.type == "custom" and re.fullmatch(FORM, call.custom.input)
    streamed = ""
    for chunk in client.chat.completions.create(messages=ASKED, tool_choice=choice, stream=True, **options):
        for piece in chunk.choices[0].delta.tool_calls or []:
            streamed += piece.custom["input"]  # the client has no type for it
    assert streamed == call.custom.input
    result: Any = {"role": "tool", "tool_call_id": call.id, "content": "Done."}
    again = client.chat.completions.create(messages=[*ASKED, message, result], **options)
    assert again.usage and again.usage.prompt_tokens > 0


def test_a_function_call_is_answered_in_the_older_form(client: OpenAI) -> None:
    options: Any = {"model": "tiny", "functions": [WEATHER], "temperature": 0, "max_tokens": 120}
    named: Any = {"name": "weather"}
    made = client.chat.completions.create(messages=ASKED, function_call=named, **options).choices[0]
    assert made.finish_reason == "function_call" and made.message.function_call
    assert json.loads(made.message.function_call.arguments)["city"] in ("Rome", "Oslo")
    with client.chat.completions.stream(messages=ASKED, function_call=named, **options) as stream:
        streamed = stream.get_final_completion().choices[0].message
    assert streamed.function_call == made.message.function_call
    result: Any = {"role": "function", "name": "weather", "content": "Sunny, 31 degrees."}
    answer = client.chat.completions.create(messages=[*ASKED, made.message, result], **options)
    assert answer.choices[0].message.content or answer.choices[0].message.function_call
