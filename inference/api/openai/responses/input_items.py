"""The items that a request sends, as they are kept; and those that stand for others, read."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec
import pydantic
from pydantic import TypeAdapter

from inference.api.http import sealed_text
from inference.api.http.pictures import data_url
from inference.api.openai.responses.item_ids import new_id
from inference.api.openai.schemas import ResponseBody
from inference.api.openai.schemas.input_items import (
    AddedToolsItem,
    CompactionItem,
    ForeignItem,
    Item,
    MessageItem,
    ReasoningItem,
    ReferenceItem,
)
from inference.api.openai.schemas.input_parts import ContentPart, InputImage, RefusalPart
from inference.core.errors import InternalError, InvalidValue, NotFound
from inference.core.requests import Message

_ITEMS: TypeAdapter[list[Any]] = TypeAdapter(list[Item])
REASONING, COMPACTION, WINDOW = "reasoning", "compaction", "window"  # what values are sealed for
_ANSWERS_OWN = {"annotations", "logprobs"}


def items_of(body: ResponseBody) -> list[Any]:
    """What was sent as items; a text is a user's message."""
    if isinstance(body.input, str):
        return [MessageItem(role="user", content=body.input)]
    return body.input or []


def references(items: Sequence[Any]) -> list[str]:
    """The ids of the stored items that these refer to."""
    return [item.id for item in items if isinstance(item, ReferenceItem)]


def kept(items: Sequence[Any], found: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The items with new ids, as they are stored; what no conversation needs is left out."""
    chosen = (item for item in items if not isinstance(item, ForeignItem | AddedToolsItem))
    return [_kept(item, found) for item in chosen]


def _kept(item: Any, found: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    if isinstance(item, ReferenceItem):
        return {**found[item.id], "id": new_id(str(found[item.id].get("type")))}
    fields: dict[str, Any] = item.model_dump(exclude_none=True)
    made = {**fields, "id": new_id(item.type)}
    if isinstance(item, CompactionItem):
        return made
    if isinstance(item, MessageItem):
        made["content"] = _parts(item)
    elif isinstance(item, ReasoningItem):
        made["summary"] = fields.get("summary", [])
    return {**made, "status": "completed"}


def _parts(item: MessageItem) -> list[dict[str, Any]]:
    if isinstance(item.content, str):
        return [_part("output_text" if item.role == "assistant" else "input_text", item.content)]
    return [_kept_part(part) for part in item.content]


def _kept_part(part: ContentPart | InputImage | RefusalPart) -> dict[str, Any]:
    match part:
        case RefusalPart():
            return {"type": "refusal", "refusal": part.refusal}
        case InputImage():
            url = data_url(part.picture)
            return {"type": "input_image", "image_url": url, "detail": part.detail or "auto"}
    return _part(part.type, part.text)


def _part(kind: str, text: str) -> dict[str, Any]:
    fields: dict[str, Any] = {"type": kind, "text": text}
    return fields | {"annotations": []} if kind == "output_text" else fields


def read(items: Sequence[dict[str, Any]]) -> list[Any]:
    """Stored items as they were sent or made; raises InternalError."""
    try:
        return _ITEMS.validate_python(list(items))
    except pydantic.ValidationError:
        raise InternalError("The stored response can no longer be read; send its items again.") from None


def resolved(
    items: Sequence[Any], found: Mapping[str, dict[str, Any]], field: str = "input"
) -> Iterator[tuple[int, Any]]:
    """Each item of a field with its place, a reference replaced by its item; raises NotFound."""
    for place, item in enumerate(items):
        if not isinstance(item, ReferenceItem):
            yield place, item
        elif item.id in found:
            yield place, read([found[item.id]])[0]
        else:
            raise NotFound(
                f"None of your stored responses and conversations has an item {item.id[:64]!r}; send the "
                "item itself.",
                param=f"{field}.{place}.id",
            )


def omitted(body: ResponseBody) -> Iterator[str]:
    """The paths of tools and items that are left out, each with its type."""
    yield from body.offered.omitted
    yield from omitted_of(items_of(body), "input")


def omitted_of(items: Sequence[Any], field: str) -> Iterator[str]:
    """The paths of those items of a field that are left out, each with its type."""
    for place, item in enumerate(items):
        is_unreadable = isinstance(item, ReasoningItem | CompactionItem) and is_foreign(item)
        if isinstance(item, ForeignItem) or is_unreadable:
            yield f"{field}.{place}:{item.type}"


def is_foreign(item: ReasoningItem | CompactionItem) -> bool:
    """Whether all that the item has is a value that another server sealed."""
    if isinstance(item, ReasoningItem) and (item.content or item.summary or not item.encrypted_content):
        return False
    return not (item.encrypted_content or "").startswith(sealed_text.MARK)


def reasoning_of(item: ReasoningItem, field: str) -> str:
    """The reasoning: its content, else what is sealed, else its summary; raises InvalidValue."""
    if item.content:
        return "".join(part.text for part in item.content)
    if item.encrypted_content and (text := _unsealed(item.encrypted_content, REASONING, field)) is not None:
        return text
    return "\n\n".join(part.text for part in item.summary or ())


def compacted(item: CompactionItem, field: str) -> str | tuple[Message, ...] | None:
    """A summary that goes beside the messages before it, or the messages that replace all of them.

    None where another server made the item; raises InvalidValue.
    """
    with suppress(sealed_text.SealBroken):
        text = sealed_text.unseal(item.encrypted_content, WINDOW)
        return None if text is None else msgspec.json.decode(text, type=tuple[Message, ...])
    return _unsealed(item.encrypted_content, COMPACTION, field)


def _unsealed(value: str, purpose: str, field: str) -> str | None:
    try:
        return sealed_text.unseal(value, purpose)
    except sealed_text.SealBroken:
        raise InvalidValue(
            "This value is not from this server, or the server's key has changed; leave the item out.",
            param=f"{field}encrypted_content" if field.endswith(".") else field,
        ) from None
