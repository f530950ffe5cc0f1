"""Rewrites conversations for chat templates with restrictions on roles, calls and results."""

from collections.abc import Sequence
from itertools import takewhile

from msgspec import structs

from inference.core.requests import Message, joined


def without_system(messages: Sequence[Message]) -> list[Message]:
    """System messages are prepended to the user message after them, as Gemma's templates do."""
    turns: list[Message] = []
    instructions: list[str] = []
    for message in messages:
        if message.role == "system":
            instructions.append(message.content)
            continue
        if instructions and message.role != "user":
            turns.append(Message(role="user", content="\n\n".join(instructions)))
        elif instructions:
            message = structs.replace(message, content="\n\n".join([*instructions, message.content]))
        instructions = []
        turns.append(message)
    return [*turns, Message(role="user", content="\n\n".join(instructions))] if instructions else turns


def one_system(messages: Sequence[Message]) -> list[Message]:
    """System messages at the start become one; later ones are prepended to the next user message."""
    head = list(takewhile(lambda message: message.role == "system", messages))
    rest = without_system(messages[len(head) :])
    text = "\n\n".join(message.content for message in head)
    return [Message(role="system", content=text), *rest] if head else rest


def alternating(messages: Sequence[Message]) -> list[Message]:
    """Consecutive messages of one role become one, unless they are calls or results."""
    turns: list[Message] = []
    for message in messages:
        if turns and _can_merge(turns[-1], message):
            turns[-1] = joined(turns[-1], message)
        else:
            turns.append(message)
    return turns


def with_names(messages: Sequence[Message]) -> list[Message]:
    """Results with the name of their function, which OpenAI's API omits and templates need."""
    names = {call.id: call.name for message in messages for call in message.tool_calls}
    return [
        structs.replace(message, name=names[message.tool_call_id])
        if message.role == "tool" and not message.name and message.tool_call_id in names
        else message
        for message in messages
    ]


def _can_merge(first: Message, second: Message) -> bool:
    return first.role == second.role != "tool" and not (first.tool_calls or second.tool_calls)


def one_call_a_turn(messages: Sequence[Message]) -> list[Message]:
    """Each call in a turn of its own, followed by its result: some templates reject a turn with two calls."""
    turns: list[Message] = []
    for message in messages:
        candidates = range(len(turns) - 1, -1, -1) if message.role == "tool" else ()
        place = next((at for at in candidates if _has_call(turns[at], message.tool_call_id)), len(turns) - 1)
        turns[place + 1 : place + 1] = _with_one_call_each(message)
    return turns


def _with_one_call_each(message: Message) -> list[Message]:
    if len(message.tool_calls) < 2:
        return [message]
    first, *others = message.tool_calls
    alone = structs.replace(message, content="", reasoning="")
    return [
        structs.replace(message, tool_calls=(first,)),
        *(structs.replace(alone, tool_calls=(call,)) for call in others),
    ]


def _has_call(message: Message, call_id: str) -> bool:
    return any(call.id == call_id for call in message.tool_calls)
