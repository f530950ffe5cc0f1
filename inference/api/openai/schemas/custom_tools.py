"""Custom tools, whose input is a text: the model is offered them as functions with this one argument."""

import json

from inference.core.requests import Tool

CUSTOM_INPUT = "input"  # the one argument
MOST_GRAMMAR = 64 * 1024
_ANY_TEXT = json.dumps(
    {
        "type": "object",
        "properties": {CUSTOM_INPUT: {"type": "string", "description": "The whole input, as plain text."}},
        "required": [CUSTOM_INPUT],
        "additionalProperties": False,
    }
)


def custom_tool(name: str, description: str, syntax: str = "", definition: str = "") -> Tool:
    """The function; the model reads the grammar of the input, if there is one, and is held to it."""
    if not definition:
        return Tool(name=name, description=description, parameters=_ANY_TEXT)
    about = f"{description}\n\nThe input follows this {syntax} grammar:\n{definition}".strip()
    return Tool(
        name=name,
        description=about,
        parameters=_ANY_TEXT,
        input_syntax=syntax,
        input_definition=definition,
    )


def custom_arguments(text: str) -> str:
    """A custom tool's input as the arguments of the function."""
    return json.dumps({CUSTOM_INPUT: text}, ensure_ascii=False)
