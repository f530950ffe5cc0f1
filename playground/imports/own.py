"""Chats of this site's own exports, also of older ones, which have no pins and no dates of the chat."""

from collections.abc import Mapping
from typing import Any

from inference.core.errors import InvalidValue
from playground.imports.converted_chat import ConvertedChat

_FAMILY = "mlxsite-conversation-"
FORMAT = f"{_FAMILY}1"
NAME = "this site"
_OF_ANSWERS_IN_PROGRESS = {"waiting", "thinking"}


def matches(chat: Mapping[str, Any]) -> bool:
    return str(chat.get("format")).startswith(_FAMILY)


def convert(chat: Mapping[str, Any]) -> ConvertedChat:
    """The chat as it is in the file; an answer that was in progress becomes a stopped one.

    Raises InvalidValue for the format of a newer version.
    """
    if chat["format"] != FORMAT:
        raise InvalidValue("This file was written by a newer version of this site.", param="format")
    messages = chat.get("messages")
    if isinstance(messages, list):
        chat = {**chat, "messages": [_ended(one) if isinstance(one, dict) else one for one in messages]}
    return ConvertedChat(dict(chat), f"own:{chat.get('id', '')}")


def _ended(message: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: value for name, value in message.items() if name not in _OF_ANSWERS_IN_PROGRESS}
    return {**fields, "status": "stopped"} if message.get("status") == "answering" else fields
