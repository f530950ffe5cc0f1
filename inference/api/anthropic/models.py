"""Models in Anthropic's form, for clients that send the header `anthropic-version` to GET /v1/models."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest

from inference.core.errors import InvalidValue, ModelNotFound
from inference.core.model_card import ModelCard
from inference.core.whole_number import whole_number

_MOST = 1000


def is_wanted(request: HttpRequest) -> bool:
    """Whether the client speaks Anthropic's dialect."""
    return "anthropic-version" in request.headers


def page_of(cards: Sequence[ModelCard], request: HttpRequest) -> dict[str, Any]:
    """A page of the list; `limit`, `after_id` and `before_id` choose it."""
    limit = _limit(request)
    ids = [card.id for card in cards]
    first, last = 0, len(cards)
    if after := request.GET.get("after_id"):
        first = _place(ids, after, "after_id") + 1
    if before := request.GET.get("before_id"):
        last = _place(ids, before, "before_id")
    shown = cards[first:last]
    page = shown[-limit:] if before and not after else shown[:limit]
    return {
        "data": [model(card) for card in page],
        "has_more": len(page) < len(shown),
        "first_id": page[0].id if page else None,
        "last_id": page[-1].id if page else None,
    }


def model(card: ModelCard) -> dict[str, Any]:
    return {
        "type": "model",
        "id": card.id,
        "display_name": card.id.rpartition("/")[2],
        "created_at": datetime.fromtimestamp(card.created, UTC).isoformat().replace("+00:00", "Z"),
        "lifecycle": "active",
        "max_input_tokens": card.context_length,
        "max_tokens": card.context_length,
    }


def _limit(request: HttpRequest) -> int:
    limit = whole_number(request.GET.get("limit", "20"))
    if not limit or limit > _MOST:
        raise InvalidValue(f"'limit' is not valid: it must be 1 to {_MOST}.", param="limit")
    return limit


def _place(ids: Sequence[str], wanted: str, param: str) -> int:
    if wanted not in ids:
        raise ModelNotFound(f"There is no model {wanted[:256]!r} here.", param=param)
    return ids.index(wanted)
