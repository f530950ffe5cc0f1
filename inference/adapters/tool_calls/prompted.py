"""Tools for models whose chat template knows none: said in words, in the manner that most models have read.

The words are those that Hermes made common (https://github.com/NousResearch/Hermes-Function-Calling):
functions between <tools>, calls between <tool_call>, results between <tool_response>.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from msgspec import structs

from inference.core.requests import Message, Tool, ToolCall


def spoken(messages: Sequence[Message], tools: Sequence[Tool]) -> list[Message]:
    """The same conversation without tools, calls and results: all of them are text of its messages."""
    turns = [turn for group in _grouped(messages) for turn in group]
    if not tools:
        return turns
    told = _told(tools)
    if turns and turns[0].role == "system":
        return [structs.replace(turns[0], content=f"{turns[0].content}\n\n{told}"), *turns[1:]]
    return [Message(role="system", content=told), *turns]


def _grouped(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """Results that follow each other become one user turn: most templates want turns to alternate."""
    for is_result, group in groupby(messages, key=lambda message: message.role == "tool"):
        if is_result:
            results = (f"<tool_response>\n{message.content}\n</tool_response>" for message in group)
            yield [Message(role="user", content="\n".join(results))]
        else:
            yield [_with_calls(message) for message in group]


def _with_calls(message: Message) -> Message:
    if not message.tool_calls:
        return message
    written = "\n".join(
        part for part in (message.content, *(_written(call) for call in message.tool_calls)) if part
    )
    return structs.replace(message, content=written, tool_calls=())


def _written(call: ToolCall) -> str:
    # The arguments stay as the model wrote them, so that its own answer is found in the prefix cache.
    return f'<tool_call>\n{{"name": {json.dumps(call.name)}, "arguments": {call.arguments}}}\n</tool_call>'


def _told(tools: Iterable[Tool]) -> str:
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
