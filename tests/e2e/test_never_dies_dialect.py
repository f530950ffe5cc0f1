"""Bad input to every endpoint of the dialect, against a real site: it is refused, and a canary sings on."""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from inference.api.openai.openapi_document import BODIES
from tests.api.openai.test_openapi_document import OPERATIONS
from tests.e2e.conversation import Canary, ask, chat_body
from tests.e2e.site import Site
from tests.e2e.test_never_dies import LONG_SONG, SONG, check_answer, check_well, in_turns

pytestmark = pytest.mark.mlx
NOW = {"name": "now", "parameters": {"type": "object", "properties": {}}}
CHOICES = {"type": "function", "function": NOW}
DEEP: Any = {"type": "string"}
for _ in range(60):
    DEEP = {"type": "object", "properties": {"a": DEEP}, "required": ["a"], "additionalProperties": False}


def form(schema: Any, **fields: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "x", "schema": schema} | fields}


def pattern(text: str) -> dict[str, Any]:
    return form({"type": "string", "pattern": text}, strict=True)


CHATS: dict[str, dict[str, Any]] = {
    "a schema that is none": {"response_format": form({"type": "thing"})},
    "a schema of a keyword that cannot be enforced": {"response_format": form({"not": {}}, strict=True)},
    "a schema from elsewhere": {"response_format": form({"$ref": "http://127.0.0.1:9/x"})},
    "a schema from a file": {"response_format": form({"$ref": "file:///etc/passwd"})},
    "a schema that is itself": {"response_format": form({"$ref": "#"})},
    "a schema that nothing follows": {
        "response_format": form({"type": "integer", "minimum": 2, "maximum": 1})
    },
    "a schema that is too large": {
        "response_format": form({"enum": ["x" * 1000 + str(n) for n in range(200)]})
    },
    "a schema of no object": {"response_format": form([])},
    "a schema without its name": {"response_format": {"type": "json_schema", "json_schema": {"schema": {}}}},
    "a pattern that looks around": {"response_format": pattern("(?=a)b")},
    "a pattern that refers back": {"response_format": pattern(r"(a)\1")},
    "a pattern that is none": {"response_format": pattern("(")},
    "a pattern that explodes": {"response_format": pattern("((a{1,999}){1,999}){1,999}")},
    "a form that is unknown": {"response_format": {"type": "grammar"}},
    "a tool without a name": {"tools": [{"type": "function", "function": {"parameters": {}}}]},
    "a tool named twice": {"tools": [CHOICES, CHOICES]},
    "a tool of a wrong schema": {
        "tools": [{"type": "function", "function": NOW | {"strict": True, "parameters": {"type": 5}}}],
        "tool_choice": "required",
    },
    "too many tools": {"tools": [{"type": "function", "function": {"name": f"f{n}"}} for n in range(129)]},
    "a choice of no tool": {"tool_choice": "required"},
    "a choice of another tool": {
        "tools": [CHOICES],
        "tool_choice": {"type": "function", "function": {"name": "later"}},
    },
    "a result of no call": {"messages": [{"role": "tool", "tool_call_id": "x", "content": "5"}]},
    "arguments that are no object": {
        "messages": [
            {
                "role": "assistant",
                "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": [5]}}],
            }
        ]
    },
    "log probabilities of too many": {"logprobs": True, "top_logprobs": 21},
    "alternatives without log probabilities": {"top_logprobs": 3},
    "no answers": {"n": 0},
    "a billion answers": {"n": 10**9},
    "an effort that the template does not know": {"reasoning_effort": "high"},
    "an option that the template does not know": {"chat_template_kwargs": {"enable_thinking": True}},
    "two lengths": {"max_tokens": 4, "max_completion_tokens": 5},
    "options of no stream": {"stream_options": {"include_usage": True}},
    "a field that is misspelt": {"temprature": 1},
}
OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    "alternatives of nothing": ("completions", {"prompt": "a", "logprobs": 6}),
    "an infill of a model without": ("completions", {"prompt": "a", "suffix": "b"}),
    "nothing without its echo": ("completions", {"prompt": "a", "max_tokens": 0}),
    "the best of several": ("completions", {"prompt": "a", "best_of": 4}),
    "too many answers together": ("completions", {"prompt": ["a"] * 100, "n": 8}),
    "a prompt of negative tokens": ("completions", {"prompt": [-1]}),
    "a prompt within prompts": ("completions", {"prompt": [[[1]]]}),
    "no input": ("responses", {"input": []}),
    "an item of no kind": ("responses", {"input": [{"type": "thing"}]}),
    "an item that is elsewhere": ("responses", {"input": [{"type": "item_reference", "id": "x"}]}),
    "a result without its call": (
        "responses",
        {"input": [{"type": "function_call_output", "call_id": "a", "output": "x"}]},
    ),
    "a response that never was": ("responses", {"input": "a", "previous_response_id": "resp_0"}),
    "a response of odd letters": ("responses", {"input": "a", "previous_response_id": "\u0000'; --"}),
    "a text of a wrong schema": (
        "responses",
        {"input": "a", "text": {"format": {"type": "json_schema", "name": "x", "schema": {"type": "thing"}}}},
    ),
    "vectors of a model that chats": ("embeddings", {"input": "a"}),
    "vectors of nothing": ("embeddings", {"input": [""]}),
    "tokens of a stream": ("tokenize", {"prompt": "a", "stream": True}),
    "tokens of no prompt": ("tokenize", {}),
    "text of tokens that are none": ("detokenize", {"tokens": [10**9]}),
    "text of negative tokens": ("detokenize", {"tokens": [-1]}),
    "text of no tokens": ("detokenize", {"tokens": []}),
    "text of half a number": ("detokenize", {"tokens": [1.5]}),
}
CASES = {name: ("chat/completions", chat_body(**fields)) for name, fields in CHATS.items()} | {
    name: (endpoint, {"model": "tiny"} | fields) for name, (endpoint, fields) in OTHERS.items()
}

LEGAL = {
    "a pattern that explodes",  # it is followed lazily, and never computed whole
    "a schema without its name",
    "an effort that the template does not know",
    "an option that the template does not know",
}


VERY_LONG_SONG = SONG | {"max_tokens": 200}


@pytest.fixture(scope="module")
def long_song(tiny_site: Site) -> str:
    """What the canary sings when it is alone."""
    with Canary(tiny_site.url, **LONG_SONG) as canary:
        return canary.song()


@pytest.fixture(scope="module")
def very_long_song(tiny_site: Site) -> str:
    with Canary(tiny_site.url, **VERY_LONG_SONG) as canary:
        return canary.song()


@pytest.mark.parametrize("names", in_turns(CASES), ids=lambda names: names[0])
def test_each_endpoint_refuses_it(tiny_site: Site, long_song: str, names: list[str]) -> None:
    with Canary(tiny_site.url, **LONG_SONG) as canary:
        for name in names:
            print(name)  # the last one is shown with what is wrong
            endpoint, body = CASES[name]
            check_answer(ask(tiny_site.url, body, f"/v1/{endpoint}"), is_legal=name in LEGAL)
        assert canary.song() == long_song


EXAMPLES = int(os.environ.get("MLXSITE_EXAMPLES", "2"))
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]


@pytest.mark.parametrize("path", sorted(BODIES))
def test_bodies_that_nobody_thought_of_disturb_nobody(
    tiny_site: Site, very_long_song: str, path: str
) -> None:
    greeting = ask(tiny_site.url, chat_body()).text

    def send(case: Any) -> None:
        if isinstance(case.body, dict) and case.body.get("model"):
            case.body["model"] = "tiny"
            case.body["max_tokens"] = 4
        case.call_and_validate(base_url=f"{tiny_site.url}/v1", checks=CHECKS, timeout=30)

    odd = OPERATIONS[f"POST {path}"].as_strategy(generation_mode=GenerationMode.NEGATIVE)
    some = settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    with Canary(tiny_site.url, **VERY_LONG_SONG) as canary:
        some(given(odd)(send))()
        assert canary.song() == very_long_song
    check_well(tiny_site, greeting)
