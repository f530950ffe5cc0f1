"""Chats of this site's own exports, also of older ones, which have no pins and no dates of the chat."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from inference.api.openai.schemas import Strict
from inference.core.errors import InvalidValue
from inference.core.requests import Picture
from playground.file_text.limits import NoText
from playground.file_text.picture import picture_of
from playground.imports.converted_chat import ConvertedChat
from playground.schemas import ImportBody, MessageBody

_FAMILY = "mlxsite-conversation-"
FORMAT = f"{_FAMILY}1"
NAME = "this site"
_STATUSES = {"done", "stopped", "failed"}


def matches(chat: Mapping[str, Any]) -> bool:
    return str(chat.get("format")).startswith(_FAMILY)


def convert(chat: Mapping[str, Any]) -> ConvertedChat:
    """The chat as it is in the file; an answer that was in progress becomes a stopped one.

    Fields that this version does not know, such as those of answers in progress, are left out.

    Raises InvalidValue for the format of a newer version.
    """
    if chat["format"] != FORMAT:
        raise InvalidValue("This file was written by a newer version of this site.", param="format")
    messages = chat.get("messages")
    if isinstance(messages, list):
        chat = {**chat, "messages": [_message(one) if isinstance(one, dict) else one for one in messages]}
    pictures, problem = _pictures(chat.get("pictures") or {})
    fields = _known({**chat, "pictures": pictures}, ImportBody)
    return ConvertedChat(fields, f"own:{chat.get('id', '')}", problem=problem)


def _pictures(encoded: Mapping[str, Mapping[str, str]]) -> tuple[dict[str, Picture], str]:
    """The pictures by their ids, and a sentence about those that cannot be had."""
    pictures, problems = {}, []
    for pk, one in encoded.items():
        try:
            pictures[pk] = picture_of(base64.b64decode(one["data"], validate=True))
        except NoText as problem:
            problems.append(str(problem))
        except binascii.Error:
            problems.append("It is not valid base64.")
    if not problems:
        return pictures, ""
    count = "a picture" if len(problems) == 1 else f"{len(problems)} pictures"
    return pictures, f"Without {count}. {problems[0]}"


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    fields = _known(message, MessageBody)
    return fields if fields.get("status", "done") in _STATUSES else {**fields, "status": "stopped"}


def _known(fields: Mapping[str, Any], body: type[Strict]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name in body.model_fields}
