"""What the addresses of responses take in their query strings."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from msgspec import Struct

from inference.api.openai.schemas.response_options import INCLUDABLE
from inference.core.errors import InvalidValue, UnsupportedField
from inference.core.whole_number import whole_number

_ITEMS_AT_ONCE = 100
INCLUDE = ("include", "include[]")  # OpenAI's clients write a list in this way
_MOST_EVENTS = 10**9
_WORDS = {"true": True, "false": False}


class ShownAs(Struct, frozen=True):
    """How a stored response is shown: whole, or as the events whose numbers are above `starting_after`."""

    stream: bool
    starting_after: int = -1


def shown_as(request: HttpRequest) -> ShownAs:
    """The query of GET /v1/responses/{id}; raises UnsupportedField or InvalidValue."""
    check(request, "stream", "starting_after", "include_obfuscation", *INCLUDE)
    is_streamed = _word(request, "stream")
    _word(request, "include_obfuscation")
    after = request.GET.get("starting_after")
    if after is None:
        return ShownAs(is_streamed)
    if not is_streamed:
        raise InvalidValue("It is only allowed together with stream=true.", param="starting_after")
    if (place := whole_number(after)) is None or place >= _MOST_EVENTS:
        raise InvalidValue(f"It must be a number from 0 to {_MOST_EVENTS - 1}.", param="starting_after")
    return ShownAs(is_streamed, place)


def page(found: Sequence[dict[str, Any]], request: HttpRequest) -> dict[str, Any]:
    """One page of items, by the query's `order`, `after` and `limit`; raises as `shown_as` does."""
    check(request, "order", "after", "limit", *INCLUDE)
    query = request.GET
    order, after = query.get("order", "desc"), query.get("after")
    limit = whole_number(query.get("limit", "20"))
    if order not in {"asc", "desc"}:
        raise InvalidValue("It must be asc or desc.", param="order")
    if not limit or limit > _ITEMS_AT_ONCE:
        raise InvalidValue(f"It must be 1 to {_ITEMS_AT_ONCE}.", param="limit")
    chosen = found if order == "asc" else found[::-1]
    ids = [item["id"] for item in chosen]
    if after is not None and after not in ids:
        raise InvalidValue("There is no such item in this list.", param="after")
    begin = ids.index(after) + 1 if after else 0
    data = chosen[begin : begin + limit]
    return listed(data, has_more=begin + limit < len(chosen))


def listed(data: Sequence[dict[str, Any]], *, has_more: bool) -> dict[str, Any]:
    """A list of items as the API gives it."""
    return {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
        "has_more": has_more,
    }


def check(request: HttpRequest, *known: str) -> None:
    """An address has fields too: those that would be ignored are refused."""
    for name in request.GET:
        if name not in known:
            raise UnsupportedField(f"{name[:64]!r} is not supported here.", param=name[:64])
    for value in (one for name in INCLUDE for one in request.GET.getlist(name)):
        if value not in INCLUDABLE:  # what there is of the published ones was decided when it was made
            raise InvalidValue(f"It must be one of {', '.join(INCLUDABLE)}.", param="include")


def _word(request: HttpRequest, name: str) -> bool:
    word = request.GET.get(name, "false").lower()
    if word not in _WORDS:
        raise InvalidValue("It must be true or false.", param=name)
    return _WORDS[word]
