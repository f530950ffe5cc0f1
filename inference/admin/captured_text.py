"""The words that a capture kept, as a person reads them: messages by their role, and the settings below."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from msgspec import Struct, structs

from inference.core.requests import (
    ChatRequest,
    CompletionRequest,
    DetokenizeRequest,
    EmbeddingRequest,
    Message,
    Prompt,
    Request,
    TokenizeRequest,
)

TextPart = tuple[str, str]  # who or what, and the words
_WORDS = ("model", "messages", "prompts", "inputs", "tokens")  # the fields that are no settings


def prompt(kept: str) -> SafeString:
    """What was asked."""
    try:
        request = msgspec.json.decode(kept, type=Request)
    except msgspec.DecodeError:
        return _shown([("Cut off where it grew too long, as it was kept", kept)])
    asked = request.of if isinstance(request, TokenizeRequest) else request
    parts = list(_asked(asked))
    if settings := "\n".join(_settings(asked)):
        parts.append(("Settings", settings))
    return _shown(parts)


def answer(kept: str) -> SafeString:
    """What was answered: each part of each answer."""
    said = json.loads(kept)
    are_several = len({one["answer"] for one in said}) > 1
    return _shown((_heading(one, are_several), one["text"]) for one in said)


def _heading(said: dict[str, Any], are_several: bool) -> str:
    return f"{said['part']}, answer {said['answer'] + 1}" if are_several else said["part"]


def _asked(
    request: ChatRequest | CompletionRequest | EmbeddingRequest | DetokenizeRequest,
) -> Iterator[TextPart]:
    match request:
        case ChatRequest(messages=messages):
            for message in messages:
                yield from _message(message)
        case CompletionRequest(prompts=texts) | EmbeddingRequest(inputs=texts):
            yield from (("text", _text(text)) for text in texts)
        case DetokenizeRequest(tokens=tokens):
            yield ("tokens", _text(tokens))


def _message(message: Message) -> Iterator[TextPart]:
    role = f"{message.role} ({message.name})" if message.name else message.role
    if message.reasoning:
        yield (f"{role}, reasoning", message.reasoning)
    if message.content or not message.tool_calls:
        yield (role, message.content)
    yield from ((f"{role}, call of {call.name}", call.arguments) for call in message.tool_calls)


def _text(words: Prompt) -> str:
    return words if isinstance(words, str) else " ".join(map(str, words))


def _settings(asked: Struct, prefix: str = "") -> Iterator[str]:
    """Whatever was given besides the words, a line each."""
    for field in structs.fields(asked):
        value = getattr(asked, field.name)
        if field.name in _WORDS or value == field.default:
            continue
        if isinstance(value, Struct):
            yield from _settings(value, f"{field.name}.")
        else:
            yield f"{prefix}{field.name}: {msgspec.json.encode(value).decode()}"


def _shown(parts: Iterable[TextPart]) -> SafeString:
    told = format_html_join("", "<dt>{}</dt><dd><pre>{}</pre></dd>", parts)
    return format_html('<dl class="captured">{}</dl>', told)
