"""The request that a question becomes: the validated settings of the page, and the messages of a branch."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import structs

from inference.api.http import strict_json
from inference.api.openai.schemas import ChatCompletionBody
from inference.core import requests
from inference.core.errors import InvalidValue
from inference.core.requests import ChatRequest, ToolCall, joined
from playground.attachment_prompt import with_attachments
from playground.models import Message

_NO_RESULT = "No result was given."
_PLACEHOLDER = ({"role": "user", "content": "placeholder"},)


def validated(question: Mapping[str, Any]) -> ChatRequest:
    """The request for `question`, the fields of a /v1/chat/completions body without its messages.

    Its messages are a placeholder: `with_conversation` replaces them. A question may contain megabytes of
    JSON Schema, so call this from a thread.

    Raises InvalidValue or UnsupportedField, as the endpoint does, and InvalidValue for more than one answer.
    """
    body = strict_json.check({**question, "messages": list(_PLACEHOLDER)}, ChatCompletionBody)
    if body.n not in {None, 1}:
        raise InvalidValue("This page shows one answer at a time.", param="n")
    return body.request()


def with_conversation(request: ChatRequest, system: str, branch: Iterable[Message]) -> ChatRequest:
    """`request` with the system prompt, if there is one, and the messages of `branch`."""
    prompt = system.strip()
    instructions = [requests.Message(role="system", content=prompt)] if prompt else []
    return structs.replace(request, messages=(*instructions, *model_messages(branch)))


def model_messages(branch: Iterable[Message]) -> list[requests.Message]:
    """The messages that the model reads of a branch.

    Many chat templates require that user and assistant alternate. So answers without text and calls are
    left out, and the questions before them; and messages of one role that follow each other, since what was
    between them is deleted, become one.
    """
    messages = list(branch)
    pairs = zip(messages, [*messages[1:], None], strict=True)
    kept = [
        message
        for message, reply in pairs
        if _has_content(message) and (message.role != "user" or reply is None or _has_content(reply))
    ]
    converted: list[requests.Message] = []
    for one in (one for message in kept for one in _converted(message)):
        if converted and _is_joined(converted[-1], one):
            converted[-1] = structs.replace(joined(converted[-1], one), tool_calls=one.tool_calls)
        else:
            converted.append(one)
    return converted


def _is_joined(before: requests.Message, message: requests.Message) -> bool:
    return before.role == message.role != "tool" and not before.tool_calls


def _has_content(message: Message) -> bool:
    return bool(message.content or message.calls or message.attachments)


def _converted(message: Message) -> list[requests.Message]:
    """One stored message as the model reads it; the results of its calls are messages of their own."""
    if message.role == "user":
        return [requests.Message(role="user", content=with_attachments(message.content, message.attachments))]
    calls = tuple(
        ToolCall(id=call["id"], name=call["name"], arguments=call["arguments"]) for call in message.calls
    )
    results = [
        requests.Message(role="tool", tool_call_id=call["id"], content=call.get("result", _NO_RESULT))
        for call in message.calls
    ]
    return [requests.Message(role="assistant", content=message.content, tool_calls=calls), *results]
