"""Requests with words in the place of pictures: for what is stored or shown without them."""

from typing import TypeVar

from msgspec import structs

from inference.core.requests import PICTURE, ChatRequest, Message, Picture, Request, TokenizeRequest

_SHOWN = 200  # characters of an address
R = TypeVar("R", bound=Request)


def without_pictures(request: R) -> R:
    """The same request; each picture is a text such as `[image/png, 1200 × 800, 214 kB]` in its place."""
    if isinstance(request, TokenizeRequest):
        return structs.replace(request, of=without_pictures(request.of))
    if not isinstance(request, ChatRequest) or not any(one.pictures for one in request.messages):
        return request
    return structs.replace(request, messages=tuple(map(described, request.messages)))


def described(message: Message) -> Message:
    """The message with words in the place of its pictures."""
    before, *others = message.content.split(PICTURE)
    placeholders = [*map(_placeholder, message.pictures), *[""] * len(others)]
    content = before + "".join(
        placeholder + text for placeholder, text in zip(placeholders, others, strict=False)
    )
    return structs.replace(message, content=content, pictures=())


def _placeholder(picture: Picture) -> str:
    if picture.url:
        return f"[{picture.url[:_SHOWN]}]"
    kilobytes = max(1, round(len(picture.data) / 1000))
    return f"[{picture.media_type}, {picture.width} × {picture.height}, {kilobytes} kB]"
