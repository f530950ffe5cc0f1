"""The JSON schemas that a request wants enforced, and the fields they come from."""

import json

from inference.adapters.tool_calls.grammar_rules import PLAIN
from inference.core.requests import ChatRequest

FORM = "response_format"
_SCHEMA = "response_format.json_schema.schema"


def schemas_of(request: ChatRequest) -> list[tuple[str, str]]:
    """The field and the text of each schema that is to be enforced."""
    tools = [
        (f"tools.{position}.function.parameters", tool.parameters)
        for position, tool in enumerate(request.tools)
        if not request.must_call or tool.name in request.must_call
    ]
    is_text = request.schema and not request.must_call
    return [*([(_SCHEMA, request.schema)] if is_text else []), *tools]


def field_of(request: ChatRequest) -> str:
    """The field that asks for a grammar: that of the only schema, or the one for all of them."""
    fields = [field for field, _ in schemas_of(request)]
    if request.grammar and not fields:
        return FORM
    return fields[0] if len(fields) == 1 else _SCHEMA if request.schema and not request.tools else "tools"


def plain_schema(schema: str) -> str:
    """The schema with the layout in which models write JSON; a request cannot override its strictness."""
    return json.dumps({**json.loads(schema), "x-guidance": PLAIN})
