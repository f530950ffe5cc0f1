"""The request that a question becomes: the validated settings of the page, and the messages of a branch."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import structs

from inference.api.http import strict_json
from inference.api.openai.schemas import ChatCompletionBody
from inference.core import requests
from inference.core.errors import InvalidValue
from inference.core.requests import PICTURE, ChatRequest, Picture, ToolCall, joined
from playground.attachment_prompt import with_attachments
from playground.kept_pictures import pictures_in
from playground.models import Message

Pictures = Mapping[str, Picture]
_NO_PICTURES: Pictures = {}
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


def with_conversation(
    request: ChatRequest, system: str, branch: Iterable[Message], pictures: Pictures = _NO_PICTURES
) -> ChatRequest:
    """`request` with the system prompt, if there is one, and the messages of `branch`.

    `pictures` are those of its messages, by their ids; one that is missing is left out.
    """
    prompt = system.strip()
    instructions = [requests.Message(role="system", content=prompt)] if prompt else []
    return structs.replace(request, messages=(*instructions, *model_messages(branch, pictures)))


def model_messages(branch: Iterable[Message], pictures: Pictures = _NO_PICTURES) -> list[requests.Message]:
    """The messages that the model reads of a branch.

    Many chat templates require that user and assistant alternate. So answers without text and calls are
    left out, and the questions before them; and messages of one role that follow each other, since what was
    between them is deleted, become one.
    """
    converted: list[requests.Message] = []
    for one in (one for message in read_of(branch) for one in _converted(message, pictures)):
        if converted and _is_joined(converted[-1], one):
            converted[-1] = structs.replace(joined(converted[-1], one), tool_calls=one.tool_calls)
        else:
            converted.append(one)
    return converted


def read_of(branch: Iterable[Message]) -> list[Message]:
    """Those of a branch that the model reads: no answers without text and calls, nor their questions."""
    messages = list(branch)
    pairs = zip(messages, [*messages[1:], None], strict=True)
    return [
        message
        for message, reply in pairs
        if _has_content(message) and (message.role != "user" or reply is None or _has_content(reply))
    ]


def _is_joined(before: requests.Message, message: requests.Message) -> bool:
    return before.role == message.role != "tool" and not before.tool_calls


def _has_content(message: Message) -> bool:
    return bool(message.content or message.calls or message.attachments)


def _converted(message: Message, pictures: Pictures) -> list[requests.Message]:
    """One stored message as the model reads it; the results of its calls are messages of their own.

    Pictures come first, as models expect them.
    """
    if message.role == "user":
        seen = tuple(pictures[one["id"]] for one in pictures_in(message.attachments) if one["id"] in pictures)
        text = with_attachments(message.content, message.attachments).replace(PICTURE, "")
        return [requests.Message(role="user", content=PICTURE * len(seen) + text, pictures=seen)]
    calls = tuple(
        ToolCall(id=call["id"], name=call["name"], arguments=call["arguments"]) for call in message.calls
    )
    results = [
        requests.Message(role="tool", tool_call_id=call["id"], content=call.get("result", _NO_RESULT))
        for call in message.calls
    ]
    return [requests.Message(role="assistant", content=message.content, tool_calls=calls), *results]
