"""The OpenAPI description is true: Schemathesis asks what it says, and what it does not say."""

import json
import os
import re
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
import schemathesis
from django.test import AsyncClient
from hypothesis import HealthCheck, assume, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from inference.api.http.strict_json import check
from inference.api.http.strict_schema import Strict
from inference.api.openai.openapi_document import ANSWERS, BODIES, document
from inference.core.errors import InvalidRequest
from tests.api.openai.site import Site
from tests.api.openai.test_api import ROUTES

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]


@pytest.fixture
def site(served_site: Site) -> Site:
    return served_site


DESCRIBED = schemathesis.openapi.from_dict(document())
OPERATIONS = {
    found.ok().label: found.ok() for found in DESCRIBED.get_all_operations() if isinstance(found, Ok)
}
CONTROL = "/chat/completions/control"  # of an answer in progress: no random id has one
# Nightly, with MLXSITE_EXAMPLES=1000, it asks for a quarter of an hour.
EXAMPLES = int(os.environ.get("MLXSITE_EXAMPLES", "3"))
SETTINGS = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def asked(site: Site, case: Any) -> Any:
    """What it answers, of a model that is there wherever the name is none of what is wrong."""
    body = case.body
    if isinstance(body, dict) and isinstance(name := body.get("model"), str) and 0 < len(name) <= 256:
        kinds = {"/embeddings": "vectors", "/rerank": "reranker"}
        body["model"] = kinds.get(case.path, "tiny")
    response = case.call(base_url=f"{site.address}/v1", timeout=20)
    # A body beyond the limit is refused before it is read, which Schemathesis takes for no refusal.
    checks = [
        check for check in CHECKS if check is not negative_data_rejection or response.status_code != 413
    ]
    case.validate_response(response, checks=checks)
    return response


@pytest.mark.parametrize("label", sorted(label for label in OPERATIONS if not label.startswith("POST")))
def test_what_is_described_is_what_happens(site: Site, label: str) -> None:
    strategy = OPERATIONS[label].as_strategy(generation_mode=GenerationMode.POSITIVE)
    SETTINGS(given(strategy)(lambda case: asked(site, case) and None))()


def without_orphans(body: Any) -> None:
    """Make questions of a chat's results: no call is generated whose id they would have."""
    for message in body.get("messages", ()):
        if message["role"] in ("tool", "function"):
            content = message.get("content") or "Hello"
            message.clear()
            message.update(role="user", content=content)


def without_history(path: str, body: Any) -> None:
    """Give a response an input of its own: none is generated whose id it could go on from."""
    if path.startswith("/responses"):
        body.pop("previous_response_id", None)
        body.pop("conversation", None)
        body["input"] = body.get("input") or "Hello"


# What one field asks of another, of what is stored or of any JSON; a schema would describe it badly.
BETWEEN_FIELDS = re.compile(
    "only (allowed|supported) (together )?with|not supported together|it differs from|are more than"
    "|no earlier|there is no (tool|stored|namespace|conversation)|none of your stored"
    "|mutually exclusive|it is required, and with at least"
    "|another tool has this name|here it must be 'input_text'"
    "|it is for the (type|json types)|it is required with this type|there are no tools|comes? whole"
    "|there is \\S+ already|it begins with none of the triggers"
    "|the last message must be|only the last message can|the server itself sets"
    "|it is for grammars|not from this server|nothing of the input|not allowed together"
    "|no earlier message|nothing (in them for|that) the model|calls of the last message|less than max_tokens"
    "|a number in the body is too large|the body (holds|is nested)|only an assistant's message has it"
    "|only a message of the role|as an object or as its json text"
    "|only anthropic's own servers have this tool"
    "|could not process image|a user's or a tool's message has pictures",
    re.IGNORECASE,
)


# Of each of these groups one field may be sent, or those that agree: random ones never would.
ALTERNATIVES = (
    "response_format structured_outputs guided_json guided_choice guided_regex guided_grammar json_schema "
    "grammar",
    "enable_thinking think reasoning thinking reasoning_effort thinking_budget chat_template_kwargs",
    "continue_final_message add_generation_prompt",
    "tools functions",
    "tool_choice function_call",
    "max_tokens max_completion_tokens",
    "user safety_identifier",
    "previous_response_id conversation",
)


def with_one_of_each(body: Any) -> Any:
    """The body with one field, or none, of each group of alternatives."""
    if not isinstance(body, dict):
        return body
    dropped = {name for names in ALTERNATIVES for name in [one for one in names.split() if one in body][1:]}
    return {name: value for name, value in body.items() if name not in dropped}


@pytest.mark.parametrize("label", [f"POST {path}" for path in BODIES if path != CONTROL])
def test_what_follows_the_description_is_done(site: Site, label: str) -> None:
    done = []

    def accepted(case: Any) -> None:
        name_a_conversation(site, case)
        case.body = with_one_of_each(case.body)
        without_orphans(case.body)
        without_history(case.path, case.body)
        response = asked(site, case)
        answer = "" if response.status_code == 200 else response.json()["error"]["message"]
        assert not answer or BETWEEN_FIELDS.search(answer), answer
        done.append(response.status_code == 200)

    strategy = OPERATIONS[label].as_strategy(generation_mode=GenerationMode.POSITIVE)
    SETTINGS(given(strategy)(accepted))()
    # Random fields contradict each other most of the time; some bodies have to be taken all the same.
    assert sum(done) > len(done) / 25


def test_a_made_up_answer_is_not_found_as_described(site: Site) -> None:
    strategy = OPERATIONS[f"POST {CONTROL}"].as_strategy(generation_mode=GenerationMode.POSITIVE)

    def not_found(case: Any) -> None:
        response = asked(site, case)
        assert response.status_code == 404 or BETWEEN_FIELDS.search(response.text)

    SETTINGS(given(strategy)(not_found))()


def name_a_conversation(site: Site, case: Any) -> None:
    """Put the ids of a conversation and its item into the address, where it has them."""
    if "conversation_id" not in (case.path_parameters or {}):
        return
    address = f"{site.address}/v1/conversations"
    made = httpx.post(address, json={"items": [{"role": "user", "content": "Hi"}]}).json()["id"]
    item = httpx.get(f"{address}/{made}/items").json()["first_id"]
    ids = {"conversation_id": made, "item_id": item}
    case.path_parameters |= {name: ids[name] for name in case.path_parameters}


WITH_ID = sorted(label for label in OPERATIONS if "{" in label and label.partition(" ")[2] not in BODIES)
WITH_ID += [f"{method} /conversations/{{conversation_id}}" for method in ("GET", "DELETE")]
WITH_ID += ["GET /conversations/{conversation_id}/items"]


@pytest.mark.parametrize("label", WITH_ID)
def test_what_is_there_is_shown_as_described(site: Site, label: str) -> None:
    def found(case: Any) -> None:
        body = {"model": "tiny", "input": "Hi", "background": "cancel" in label}
        made = httpx.post(f"{site.address}/v1/responses", json=body).json()
        case.path_parameters |= {name: made["id"] for name in case.path_parameters if name == "response_id"}
        case.path_parameters |= {name: "tiny" for name in case.path_parameters if name == "model_id"}
        name_a_conversation(site, case)
        assert asked(site, case).status_code == 200

    strategy = OPERATIONS[label].as_strategy(generation_mode=GenerationMode.POSITIVE)
    settings(SETTINGS, max_examples=3)(given(strategy)(found))()


@pytest.mark.parametrize("label", [f"POST {path}" for path in BODIES])
def test_what_breaks_the_description_is_refused(site: Site, label: str) -> None:
    strategy = OPERATIONS[label].as_strategy(generation_mode=GenerationMode.NEGATIVE)
    schemas = BODIES[label.removeprefix("POST ")]

    def refused(case: Any) -> None:
        assume(not is_taken_without_nulls(case.body, schemas))
        asked(site, case)

    settings(SETTINGS, max_examples=EXAMPLES // 2)(given(strategy)(refused))()


def is_taken_without_nulls(body: Any, schemas: Sequence[type[Strict]]) -> bool:
    """Whether only fields that are `null` are wrong: they ask for nothing, whatever their names."""
    if not isinstance(body, dict) or None not in body.values():
        return False
    asked = {name: value for name, value in body.items() if value is not None}
    return any(is_valid(asked, schema) for schema in schemas)


def is_valid(body: dict[str, Any], schema: type[Strict]) -> bool:
    try:
        check(body, schema)
    except InvalidRequest:
        return False
    return True


def test_a_name_is_one_schema_in_every_body() -> None:
    """Two classes of one name would overwrite each other, and one endpoint would be described wrongly."""
    described = document()["components"]["schemas"]
    for body in {body for bodies in BODIES.values() for body in bodies}:
        parts = body.model_json_schema(ref_template="#/components/schemas/{model}").get("$defs", {})
        assert {name for name, schema in parts.items() if described[name] != schema} == set(), body


def test_every_route_is_described() -> None:
    described = {(method.upper(), path) for path, answer in document()["paths"].items() for method in answer}
    assert described == {(method, re.sub(r"{\w+:", "{", path)) for method, path in ROUTES}
    assert len(ANSWERS) == len(ROUTES)


async def test_the_description_is_given_to_anybody() -> None:
    response = await AsyncClient().get("/v1/openapi.json")
    answer = json.loads(response.content)
    assert (response.status_code, answer["openapi"]) == (200, "3.1.0")
    assert "temperature" in answer["components"]["schemas"]["ChatCompletionBody"]["properties"]
