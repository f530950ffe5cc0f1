"""The form of an answer, under the names of OpenAI, vLLM and llama.cpp."""

import json
from typing import Any

import pytest

from inference.api.http.field_names import path_of
from inference.api.openai.schemas import ChatCompletionBody
from inference.api.openai.schemas.responses import ResponseBody
from inference.core.errors import InvalidRequest
from inference.core.requests import AnswerGrammar
from tests.api.openai.asking import chat_body
from tests.api.openai.test_schemas import chat, completion, read
from tests.each import each

SCHEMA = {"type": "object", "properties": {"a": {"type": "null"}}}
TAG = {"structures": [{"begin": "<a>", "schema": SCHEMA, "end": "</a>"}], "triggers": ["<"]}


@each(
    "fields",
    [
        {"response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}}},
        {"response_format": {"type": "json_schema", "schema": SCHEMA}},
        {"response_format": {"type": "json_object", "schema": SCHEMA}},
        {"structured_outputs": {"json": SCHEMA}},
        {"structured_outputs": {"json": json.dumps(SCHEMA), "disable_any_whitespace": True}},
        {"guided_json": SCHEMA},
        {"guided_json": json.dumps(SCHEMA), "guided_decoding_backend": "xgrammar"},
        {"json_schema": SCHEMA},
        {"response_format": {"type": "text"}, "json_schema": SCHEMA},
    ],
)
def test_a_schema_has_many_names(fields: dict[str, Any]) -> None:
    assert json.loads(chat(**fields).schema) == json.loads(completion(**fields).schema) == SCHEMA


@each(
    ("fields", "kind", "text"),
    [
        ({"structured_outputs": {"choice": ["a", "b"]}}, "choice", '["a", "b"]'),
        ({"guided_choice": ["a"]}, "choice", '["a"]'),
        ({"structured_outputs": {"regex": "[0-9]+"}}, "regex", "[0-9]+"),
        ({"guided_regex": "a"}, "regex", "a"),
        ({"response_format": {"type": "regex", "pattern": "a"}}, "regex", "a"),
        ({"grammar": 'root ::= "a"'}, "grammar", 'root ::= "a"'),
        ({"guided_grammar": "x"}, "grammar", "x"),
        ({"structured_outputs": {"grammar": "x"}}, "grammar", "x"),
        ({"response_format": {"type": "grammar", "grammar": "x"}}, "grammar", "x"),
    ],
)
def test_other_forms_have_many_names(fields: dict[str, Any], kind: Any, text: str) -> None:
    assert chat(**fields).grammar == completion(**fields).grammar == AnswerGrammar(kind=kind, text=text)


@pytest.mark.parametrize(
    "fields",
    [{"structured_outputs": {"structural_tag": TAG}}, {"response_format": {"type": "structural_tag"} | TAG}],
)
def test_a_structural_tag_names_its_parts(fields: dict[str, Any]) -> None:
    grammar = chat(**fields).grammar
    assert grammar is not None and grammar.kind == "structural_tag"
    assert json.loads(grammar.text) == [{"trigger": "<", "begin": "<a>", "schema": SCHEMA, "end": "</a>"}]


@each(
    ("fields", "param"),
    [
        ({"guided_json": SCHEMA, "guided_regex": "a"}, "guided_regex"),
        ({"response_format": {"type": "json_object"}, "grammar": "x"}, "grammar"),
        ({"guided_json": "no schema"}, "guided_json"),
        ({"guided_json": "[1]"}, "guided_json"),
        ({"guided_choice": []}, "guided_choice"),
        ({"guided_choice": [1]}, "guided_choice.0"),
        ({"response_format": {"type": "regex"}}, "response_format.pattern"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"response_format": {"type": "text", "schema": SCHEMA}}, "response_format.schema"),
        ({"response_format": {"type": "structural_tag", "triggers": ["<"]}}, "response_format.structures"),
        (
            {"structured_outputs": {"structural_tag": TAG | {"triggers": ["["]}}},
            "structured_outputs.structural_tag",
        ),
        ({"grammar": "x", "ignore_eos": True}, "ignore_eos"),
    ],
)
def test_there_is_one_form_and_it_is_whole(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        chat(**fields)
    assert (caught.value.param or "").startswith(param)


def test_an_error_about_the_form_names_the_field_that_was_sent() -> None:
    names = read(ChatCompletionBody, chat_body(guided_json=SCHEMA)).own_names
    assert path_of("response_format.json_schema.schema", names) == "guided_json"
    assert path_of("response_format", names) == "guided_json"


@each("name", ["Page[Item]", "a.b", "a" * 100, "Réponse", ""])
def test_the_name_of_a_form_is_any_label(name: str) -> None:
    form = {"type": "json_schema", "json_schema": {"name": name, "schema": SCHEMA}}
    assert json.loads(chat(response_format=form).schema) == SCHEMA


@each("strict", [True, False, None])
def test_whether_schemas_are_strict_reaches_the_model(strict: bool | None) -> None:
    form = {"name": "a", "schema": SCHEMA, "strict": strict}
    function = {"name": "f", "parameters": SCHEMA, "strict": strict}
    asked = chat(
        response_format={"type": "json_schema", "json_schema": form},
        tools=[{"type": "function", "function": function}],
    )
    body = {
        "model": "m",
        "input": "x",
        "text": {"format": {"type": "json_schema", **form}},
        "tools": [{"type": "function", **function}],
    }
    flat = read(ResponseBody, body).request(())
    for request in (asked, flat):
        assert (request.has_strict_schema, request.tools[0].is_strict) == (bool(strict), bool(strict))
