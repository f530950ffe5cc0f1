"""Links from a row of usage: to the model, the key or the account, its requests and its decisions."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.urls import reverse
from msgspec import Struct

from inference.admin.permitted_links import may_open
from inference.models import ServedModel
from inference.models.api_key import ApiKey
from inference.serving.usage.report import By


class Link(Struct, frozen=True, kw_only=True):
    text: str
    address: str


def links_of(request: HttpRequest, by: By, ids: Sequence[str]) -> Mapping[str, tuple[Link, ...]]:
    """The links of each id that the visitor may follow; three queries at most."""
    found = _links_of(by, ids)
    kinds = {link.text: link.address for links in found.values() for link in links}
    permitted = {text for text, address in kinds.items() if may_open(request, address)}
    return {name: tuple(link for link in links if link.text in permitted) for name, links in found.items()}


def _links_of(by: By, ids: Sequence[str]) -> dict[str, tuple[Link, ...]]:
    match by:
        case "model":
            return {name: _of_model(name, number) for name, number in _models(ids).items()}
        case "key":
            keys = ApiKey.objects.filter(prefix__in=ids).values_list("prefix", "pk")
            return {prefix: _of_key(number) for prefix, number in keys}
        case "user":
            users = get_user_model().objects.filter(username__in=ids).values_list("username", "pk")
            return {name: _of_user(name, number) for name, number in users}


def _models(ids: Sequence[str]) -> dict[str, int | None]:
    """The numbers of the models' pages; None for a model that is gone, which still has requests."""
    numbers = dict(ServedModel.objects.filter(name__in=ids).values_list("name", "pk"))
    return {name: numbers.get(name) for name in ids if name}


def _of_model(name: str, number: int | None) -> tuple[Link, ...]:
    lists = (
        _list("Requests", "requestrecord", model=name),
        _list("Loads and evictions", "poolevent", model=name),
    )
    if number is None:
        return lists
    return Link(text="Model", address=reverse("admin:inference_servedmodel_change", args=[number])), *lists


def _of_key(number: int) -> tuple[Link, ...]:
    page = Link(text="Key", address=reverse("admin:inference_apikey_change", args=[number]))
    return page, _list("Requests", "requestrecord", key__id__exact=str(number))


def _of_user(name: str, number: int) -> tuple[Link, ...]:
    page = Link(text="Account", address=reverse("admin:auth_user_change", args=[number]))
    return page, _list("Requests", "requestrecord", q=name)


def _list(text: str, table: str, **query: str) -> Link:
    return Link(text=text, address=f"{reverse(f'admin:inference_{table}_changelist')}?{urlencode(query)}")
