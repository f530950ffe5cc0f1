"""Tools for models whose chat template does not render any: the system message describes them.

The format is that of Hermes, which most models have seen (https://github.com/NousResearch/Hermes-Function-Calling):
functions in <tools>, calls in <tool_call>, results in <tool_response>.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from msgspec import structs

from inference.core.requests import Message, Tool, ToolCall


def with_prompted_tools(messages: Sequence[Message], tools: Sequence[Tool]) -> list[Message]:
    """The same conversation with tools, calls and results as text of its messages."""
    turns = [turn for group in _grouped(messages) for turn in group]
    if not tools:
        return turns
    instructions = _instructions(tools)
    if turns and turns[0].role == "system":
        return [structs.replace(turns[0], content=f"{turns[0].content}\n\n{instructions}"), *turns[1:]]
    return [Message(role="system", content=instructions), *turns]


def _grouped(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """Consecutive results become one user message: most templates require alternating turns."""
    for is_result, turns in groupby(messages, key=lambda message: message.role == "tool"):
        group = list(turns)
        if is_result:
            results = (f"<tool_response>\n{message.content}\n</tool_response>" for message in group)
            pictures = tuple(picture for message in group for picture in message.pictures)
            yield [Message(role="user", content="\n".join(results), pictures=pictures)]
        else:
            yield [_with_calls(message) for message in group]


def _with_calls(message: Message) -> Message:
    if not message.tool_calls:
        return message
    text = "\n".join(
        part for part in (message.content, *(_call_text(call) for call in message.tool_calls)) if part
    )
    return structs.replace(message, content=text, tool_calls=())


def _call_text(call: ToolCall) -> str:
    # The arguments stay as the model wrote them, so that the prefix cache has its answer.
    return f'<tool_call>\n{{"name": {json.dumps(call.name)}, "arguments": {call.arguments}}}\n</tool_call>'


def _instructions(tools: Iterable[Tool]) -> str:
    functions = "\n".join(
        json.dumps(
            {
                "name": tool.name,
                "description": tool.description,
                "parameters": json.loads(tool.parameters),
            }
        )
        for tool in tools
    )
    return (
        "You can call functions. These are the functions, each with a JSON Schema of its arguments:\n"
        f"<tools>\n{functions}\n</tools>\n"
        "To call one, answer with a JSON object between tags, and nothing else:\n"
        '<tool_call>\n{"name": "FUNCTION", "arguments": {"NAME": "VALUE"}}\n</tool_call>\n'
        "The result comes in the next message. Call a function only when it helps."
    )
