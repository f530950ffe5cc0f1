"""Captured prompts and answers as HTML: messages by their role, and the request's settings below."""

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
    RerankRequest,
    TokenizeRequest,
)

TextPart = tuple[str, str]  # a heading, such as a role, and the text
# The fields that are not settings.
_CONTENT = ("model", "messages", "prompts", "inputs", "tokens", "query", "documents")


def prompt(stored: str) -> SafeString:
    """The request, from the JSON text that the capture stored; text that was truncated is shown as it is."""
    try:
        request = msgspec.json.decode(stored, type=Request)
    except msgspec.DecodeError:
        return _as_html([("Truncated because it is too long; shown as stored", stored)])
    inner = request.of if isinstance(request, TokenizeRequest) else request
    parts = list(_content(inner))
    if settings := "\n".join(_settings(inner)):
        parts.append(("Settings", settings))
    return _as_html(parts)


def answer(stored: str) -> SafeString:
    """Each part of each answer, from the JSON text that the capture stored."""
    parts = json.loads(stored)
    is_numbered = len({part["answer"] for part in parts}) > 1
    return _as_html((_heading(part, is_numbered), part["text"]) for part in parts)


def _heading(part: dict[str, Any], is_numbered: bool) -> str:
    return f"{part['part']}, answer {part['answer'] + 1}" if is_numbered else part["part"]


def _content(
    request: ChatRequest | CompletionRequest | EmbeddingRequest | RerankRequest | DetokenizeRequest,
) -> Iterator[TextPart]:
    match request:
        case ChatRequest(messages=messages):
            for message in messages:
                yield from _message(message)
        case CompletionRequest(prompts=texts) | EmbeddingRequest(inputs=texts):
            yield from (("text", _text(text)) for text in texts)
        case RerankRequest(query=query, documents=documents):
            yield ("query", query)
            yield from (("document", text) for text in documents)
        case DetokenizeRequest(tokens=tokens):
            yield ("tokens", _text(tokens))


def _message(message: Message) -> Iterator[TextPart]:
    role = f"{message.role} ({message.name})" if message.name else message.role
    if message.reasoning:
        yield (f"{role}, reasoning", message.reasoning)
    if message.content or not message.tool_calls:
        yield (role, message.content)
    yield from ((f"{role}, call of {call.name}", call.arguments) for call in message.tool_calls)


def _text(prompt: Prompt) -> str:
    return prompt if isinstance(prompt, str) else " ".join(map(str, prompt))


def _settings(request: Struct, prefix: str = "") -> Iterator[str]:
    """The fields besides the content that differ from their defaults, one per line."""
    for field in structs.fields(request):
        value = getattr(request, field.name)
        if field.name in _CONTENT or value == field.default:
            continue
        if isinstance(value, Struct):
            yield from _settings(value, f"{field.name}.")
        else:
            yield f"{prefix}{field.name}: {msgspec.json.encode(value).decode()}"


def _as_html(parts: Iterable[TextPart]) -> SafeString:
    items = format_html_join("", "<dt>{}</dt><dd><pre>{}</pre></dd>", parts)
    return format_html('<dl class="captured">{}</dl>', items)
