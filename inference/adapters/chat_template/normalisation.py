"""Bends a conversation for templates that take less: no system role, no repeated role, no bare result."""

from collections.abc import Sequence
from itertools import takewhile

from msgspec import structs

from inference.core.requests import Message


def without_system(messages: Sequence[Message]) -> list[Message]:
    """What the system says is put at the head of the user turn behind it, as Gemma's templates do."""
    turns: list[Message] = []
    said: list[str] = []
    for message in messages:
        if message.role == "system":
            said.append(message.content)
            continue
        if said and message.role != "user":
            turns.append(Message(role="user", content="\n\n".join(said)))
        elif said:
            message = structs.replace(message, content="\n\n".join([*said, message.content]))
        said = []
        turns.append(message)
    return [*turns, Message(role="user", content="\n\n".join(said))] if said else turns


def one_system(messages: Sequence[Message]) -> list[Message]:
    """The system messages at the head become one; later ones are put before the next question."""
    head = list(takewhile(lambda message: message.role == "system", messages))
    rest = without_system(messages[len(head) :])
    told = "\n\n".join(message.content for message in head)
    return [Message(role="system", content=told), *rest] if head else rest


def alternating(messages: Sequence[Message]) -> list[Message]:
    """Turns of one role that follow each other become one, where neither calls a tool nor answers one."""
    turns: list[Message] = []
    for message in messages:
        if turns and _are_one(turns[-1], message):
            joined = "\n\n".join(text for text in (turns[-1].content, message.content) if text)
            turns[-1] = structs.replace(turns[-1], content=joined)
        else:
            turns.append(message)
    return turns


def with_names(messages: Sequence[Message]) -> list[Message]:
    """Results are told their function's name, which OpenAI leaves out and templates ask for."""
    names = {call.id: call.name for message in messages for call in message.tool_calls}
    return [
        structs.replace(message, name=names[message.tool_call_id])
        if message.role == "tool" and not message.name and message.tool_call_id in names
        else message
        for message in messages
    ]


def _are_one(first: Message, second: Message) -> bool:
    return first.role == second.role != "tool" and not (first.tool_calls or second.tool_calls)


def one_call_a_turn(messages: Sequence[Message]) -> list[Message]:
    """Each call in a turn of its own, its result behind it: some templates refuse a turn with two."""
    turns: list[Message] = []
    for message in messages:
        called = range(len(turns) - 1, -1, -1) if message.role == "tool" else ()
        place = next((at for at in called if _has_call(turns[at], message.tool_call_id)), len(turns) - 1)
        turns[place + 1 : place + 1] = _apart(message)
    return turns


def _apart(message: Message) -> list[Message]:
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
