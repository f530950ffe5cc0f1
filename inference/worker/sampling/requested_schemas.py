"""The JSON schemas that a request wants enforced, and the fields they come from."""

import json
from collections.abc import Iterator

from msgspec import structs

from inference.adapters.tool_calls.grammar_rules import PLAIN
from inference.core.requests import ChatRequest, GenerationRequest, Tool
from inference.worker.sampling.enforceable_schema import EnforceableSchema, enforceable_schema

FORM = "response_format"
_SCHEMA = "response_format.json_schema.schema"


def as_chat(request: GenerationRequest) -> ChatRequest:
    """What a grammar is compiled from: a raw answer has a form, and neither calls nor reasoning."""
    if isinstance(request, ChatRequest):
        return request
    return ChatRequest(
        model=request.model,
        messages=(),
        schema=request.schema,
        has_strict_schema=request.has_strict_schema,
        grammar=request.grammar,
    )


def schemas_of(request: ChatRequest) -> list[tuple[str, str]]:
    """The field and the text of each schema that is to be enforced."""
    tools = [
        (f"tools.{position}.function.parameters", tool.parameters)
        for position, tool in enumerate(request.tools)
        if not request.must_call or tool.name in request.must_call
    ]
    is_text = request.schema and not request.must_call
    return [*([(_SCHEMA, request.schema)] if is_text else []), *tools]


def with_enforceable_schemas(request: ChatRequest) -> ChatRequest:
    """The request with each schema as it can be enforced; those that must not change stay as they are."""
    schema = request.schema and _enforceable_answer(request).text
    tools = tuple(
        structs.replace(tool, parameters=_enforceable_arguments(tool).text)
        if not request.must_call or tool.name in request.must_call
        else tool
        for tool in request.tools
    )
    return structs.replace(request, schema=schema, tools=tools)


def partial_fields(request: ChatRequest) -> Iterator[str]:
    """The fields with schemas of which only a part can be enforced."""
    if request.schema and not request.must_call and _enforceable_answer(request).is_partial:
        yield _SCHEMA
    for position, tool in enumerate(request.tools):
        is_bound = request.follows_schemas or tool.name in request.must_call
        if is_bound and _enforceable_arguments(tool).is_partial:
            yield f"tools.{position}.function.parameters"


def _enforceable_answer(request: ChatRequest) -> EnforceableSchema:
    return enforceable_schema(request.schema, is_strict=request.has_strict_schema)


def _enforceable_arguments(tool: Tool) -> EnforceableSchema:
    return enforceable_schema(tool.parameters, is_strict=tool.is_strict)


def field_of(request: ChatRequest) -> str:
    """The field that asks for a grammar: that of the only schema, or the one for all of them."""
    fields = [field for field, _ in schemas_of(request)]
    if request.grammar and not fields:
        return FORM
    return fields[0] if len(fields) == 1 else _SCHEMA if request.schema and not request.tools else "tools"


def plain_schema(schema: str) -> str:
    """The schema with the layout in which models write JSON; a request cannot override its strictness."""
    return json.dumps({**json.loads(schema), "x-guidance": PLAIN})
