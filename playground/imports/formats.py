"""The formats of chat exports: recognised by their content, never by the name of the file."""

from collections.abc import Callable, Mapping
from typing import Any

from inference.core.errors import InvalidValue
from playground.imports import chatgpt, json_text, librechat, open_webui, own
from playground.imports.chat_file import IMPORTABLE
from playground.imports.converted_chat import ConvertedChat

Convert = Callable[[Mapping[str, Any]], ConvertedChat]
_FORMATS: tuple[tuple[str, Callable[[Mapping[str, Any]], bool], Convert], ...] = (
    (own.NAME, own.matches, own.convert),
    ("ChatGPT", chatgpt.matches, chatgpt.convert),
    ("Open WebUI", open_webui.matches, open_webui.convert),
    ("LibreChat", librechat.matches, librechat.convert),
)
_UNKNOWN = f"It is not an exported conversation. {IMPORTABLE}"


def convert(text: str) -> tuple[str, ConvertedChat]:
    """The name of the format of one chat, a JSON object, and the chat.

    Raises InvalidValue for what is no chat in a known format, or is one that makes no sense.
    """
    chat = _load(text)
    for name, matches, converter in _FORMATS:
        if matches(chat):
            try:
                return name, converter(chat)
            except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
                raise InvalidValue(f"It is not in the format of {name}.") from None
    raise InvalidValue(_UNKNOWN)


def _load(text: str) -> Mapping[str, Any]:
    try:
        value = json_text.read(text)
    except RecursionError:
        raise InvalidValue("It is nested too deeply.") from None
    except ValueError:
        raise InvalidValue("It is not valid JSON.") from None
    if not isinstance(value, dict):
        raise InvalidValue(_UNKNOWN)
    return value
