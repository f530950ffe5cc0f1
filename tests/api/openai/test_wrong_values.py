"""Whatever is wrong in a body, the error names a place in what was sent, and its message is the API's own."""

import json
import os
import re
import typing
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.responses import response_create_params
from openai.types.responses.response_input_item_param import ResponseInputItemParam
from openai.types.responses.tool_param import ToolParam

from inference.api.http.strict_json import parse
from inference.api.openai.responses.input_items import omitted
from inference.api.openai.schemas import ChatCompletionBody, ResponseBody, Strict
from inference.api.openai.schemas.input_items import _BRANCHES
from inference.api.openai.schemas.response_tools import is_hosted
from inference.core.errors import InvalidRequest
from tests.api.openai import reference, whole_bodies
from tests.api.openai.body_places import Path, paths, replaced
from tests.api.openai.test_schemas import read
from tests.api.openai.whole_bodies import CHAT, RESPONSE
from tests.api.whole_bodies import BODIES
from tests.each import each
from tests.nightly import IS_NIGHTLY

WRONG: list[Any] = [
    *(5, 1.5, -1, "", "x", "x" * 600, True, None, [], {}, [5], ["x"], [[]], [{}], [{"type": "mcp"}]),
    *({"a": 1}, {"a": {"b": 1}}, {"type": "thing"}, {"type": 5}, {"type": "function"}, {"<text>": 1}),
    *({"not_a_token_id": 50}, {" ": 1}, {"x" * 70: 1}, [{"type": "input_image", "image_url": "x"}]),
]
NAMES = {name for schema, _ in BODIES.values() for _, name, _ in reference.fields(schema)} | {"type"}
# Marks of pydantic: checks of keys, branches of unions, names of validators and of our classes.
INTERNAL = re.compile(
    r"\[key\]|function-|nullable|constrained|tagged|lax-or-strict|literal\[|instance of|dictionary"
    r"|after validation|discriminator|(^|[.'])<\w+>|\b(Body|Strict|Item|Part|Choice|Options)\b"
)


def refusal(schema: type[Strict], body: Any) -> InvalidRequest | None:
    try:
        parse(json.dumps(body).encode(), schema)
    except InvalidRequest as error:
        return error
    return None


def is_place(param: str, body: Any) -> bool:
    """Whether the path is one of the body; its last step may be a field that should have been there."""
    *above, last = param.split(".")
    value = body
    for step in above:
        if step not in (inside := _inside(value)):
            return False
        value = inside[step]
    return last in _inside(value) or isinstance(value, dict) and last in NAMES


def _inside(value: Any) -> dict[str, Any]:
    """What is directly in it, by the steps of a path: only the beginning of a long name is shown."""
    if isinstance(value, list):
        return {str(place): one for place, one in enumerate(value)}
    return {name[:64]: one for name, one in value.items()} if isinstance(value, dict) else {}


def check(schema: type[Strict], body: Any) -> None:
    error = refusal(schema, body)
    if error is None:
        return
    assert error.param and is_place(error.param, body), (error.param, error.message)
    assert repr(error.param) in error.message
    assert not INTERNAL.search(error.message.replace(repr(error.param), "")), error.message


@each("name", BODIES)
def test_a_body_with_every_field_is_taken(name: str) -> None:
    schema, body = BODIES[name]
    assert refusal(schema, body) is None


def test_no_field_is_left_out() -> None:
    bodies = whole_bodies.BODIES.values()
    for schema in {schema for schema, _ in bodies}:
        sent = {_name(path) for other, body in bodies if other is schema for path in paths(body)}
        assert {path.replace("..", ".") for _, _, path in reference.fields(schema)} <= sent


def _name(path: Any) -> str:
    return ".".join(step for step in path if isinstance(step, str))


def value_at(body: Any, path: Path) -> Any:
    for step in path:
        body = body[step]
    return body


@cache
def places() -> dict[str, list[Path]]:
    """Each body's places; in the gate without those where another body of its class has the same value."""
    found: dict[str, list[Path]] = {}
    seen: set[tuple[type[Strict], Path, str]] = set()
    for name, (schema, body) in BODIES.items():
        known = {path: (schema, path, json.dumps(value_at(body, path))) for path in paths(body)}
        found[name] = [path for path, one in known.items() if IS_NIGHTLY or one not in seen]
        seen.update(known.values())
    return found


@each("name", BODIES)
def test_a_wrong_value_is_named_by_a_place_in_the_body(name: str) -> None:
    schema, body = BODIES[name]
    for place, path in enumerate(places()[name]):
        for value in WRONG if IS_NIGHTLY else WRONG[place % 18 :: 18]:
            check(schema, replaced(body, path, value))


EXAMPLES = int(os.environ.get("MLXSITE_EXAMPLES", "0"))  # nightly; else by the number of places
SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-3, 3) | st.text("ab<[ .", max_size=3)
KEYS = st.sampled_from(sorted(NAMES)) | st.text("ab<[k]", min_size=1, max_size=3)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


@each("name", BODIES)
def test_so_is_anything_in_any_place(name: str) -> None:
    schema, body = BODIES[name]

    @settings(max_examples=EXAMPLES or min(len(places()[name]), 30), deadline=None)
    @given(st.sampled_from(places()[name]), ANYTHING)
    def check_one(path: Any, value: Any) -> None:
        check(schema, replaced(body, path, value))

    check_one()


@each("name", BODIES)
def test_a_field_that_is_missing_is_named_by_its_place(name: str) -> None:
    schema, body = BODIES[name]
    for path in places()[name]:
        if isinstance(path[-1], str):
            above = value_at(body, path[:-1])
            check(schema, replaced(body, path[:-1], {k: v for k, v in above.items() if k != path[-1]}))


# Kinds that are published and not done are named by their type, whatever else they have.


def types_of(union: Any) -> set[str]:
    def texts(annotation: Any) -> set[str]:
        if typing.get_origin(annotation) is typing.Literal:
            return set(typing.get_args(annotation))
        return set().union(*map(texts, typing.get_args(annotation)))

    kinds = [kind for kind in typing.get_args(union) if hasattr(kind, "__total__")]  # typed dicts
    return set().union(*(texts(typing.get_type_hints(kind)["type"]) for kind in kinds))


CHOSEN = {"function", "custom", "allowed_tools"}
KINDS = [
    *(("tools", [{"type": kind}], "tools.0.type") for kind in ("fuction", "browser", "")),
    *(("input", [{"type": kind}], "input.0.type") for kind in ("compaction_trigger", "thing", "")),
    *(
        ("tool_choice", {"type": kind}, "tool_choice.type")
        for kind in types_of(response_create_params.ToolChoice) - CHOSEN
    ),
]


def test_every_published_tool_and_item_is_offered_or_left_out() -> None:
    hosted = types_of(ToolParam) - {"function", "custom", "namespace"}
    foreign = types_of(ResponseInputItemParam) - {"compaction_trigger", *_BRANCHES}
    assert hosted and foreign and all(map(is_hosted, hosted))
    items = [{"type": kind, "id": "x", "call_id": "y", "tools": []} for kind in sorted(foreign)]
    tools = [{"type": kind, "server_label": "x"} for kind in sorted(hosted)]
    message = {"role": "user", "content": "Hi"}
    body = read(ResponseBody, {"model": "tiny", "input": [message, *items], "tools": tools})
    assert body.offered.omitted == [f"tools.{place}:{kind}" for place, kind in enumerate(sorted(hosted))]
    listed = [one for one in omitted(body) if one.startswith("input")]
    assert listed == [f"input.{place}:{kind}" for place, kind in enumerate(sorted(foreign), 1)]


@each(("field", "value", "param"), sorted(KINDS, key=str))
def test_a_response_of_another_kind_is_refused_by_its_type(field: str, value: Any, param: str) -> None:
    kind = {"server_url": "https://x", "mode": "auto", "id": "x", "call_id": "y", "tools": [], "action": {}}
    value = [value[0] | kind] if isinstance(value, list) else value | kind
    error = refusal(ResponseBody, RESPONSE | {field: value})
    assert error and (error.code, error.param) == ("unsupported_parameter", param)


@each(
    ("field", "value", "param"),
    [
        ("tools", [{"type": "custom", "function": {"name": "x"}}], "tools.0.custom"),
        ("tools", [{"type": "mcp", "server_url": "x"}], "tools.0.type"),
        ("tool_choice", {"type": "custom"}, "tool_choice.custom"),
        ("tool_choice", {"type": "other", "mode": "auto"}, "tool_choice.type"),
        ("tool_choice", {"type": "web_search"}, "tool_choice.type"),
        ("response_format", {"type": "python", "python": "x"}, "response_format.type"),
        (
            "messages",
            [{"role": "user", "content": [{"type": "video", "video": "x"}]}],
            "messages.0.content.0.type",
        ),
    ],
)
def test_a_chat_of_another_kind_is_refused_by_its_type(field: str, value: Any, param: str) -> None:
    error = refusal(ChatCompletionBody, CHAT | {field: value})
    assert error and error.param == param


@pytest.mark.parametrize(("key", "param"), [("-5", "logit_bias.-5"), ("9999999999", "logit_bias.9999999999")])
def test_a_wrong_key_is_named_without_anything_beside_it(key: str, param: str) -> None:
    error = refusal(ChatCompletionBody, CHAT | {"logit_bias": {key: 50}})
    assert error and error.param == param and "[key]" not in error.message
