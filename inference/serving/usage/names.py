"""The names of models, keys and accounts in reports of usage, also of those that are gone."""

from collections.abc import Collection, Mapping
from typing import Literal

from django.contrib.auth import get_user_model
from django.db.models import Max

from inference.core.text_direction import isolated
from inference.models.api_key import ApiKey
from inference.models.usage_hour import UsageHour

Group = tuple[str, ...]
NO_MODEL = "models that do not exist"
NO_ACCOUNT = "no account"
_KEYLESS = {"local": "this machine", "key": "the operator's key", "user": "signed-in browsers"}


def names_of(by: Literal["model", "key", "user"], groups: Collection[Group]) -> Mapping[Group, str]:
    """The name of each group: (model,), (kind of caller, beginning of the key) or (account,)."""
    match by:
        case "model":
            return {group: group[0] or NO_MODEL for group in groups}
        case "key":
            return _of_keys(groups)
        case "user":
            return _of_accounts(groups)


def _of_keys(groups: Collection[Group]) -> dict[Group, str]:
    prefixes = {prefix for _, prefix in groups if prefix}
    now = dict(ApiKey.objects.filter(prefix__in=prefixes).values_list("prefix", "name"))
    gone = UsageHour.objects.filter(key_prefix__in=prefixes - now.keys())
    then = dict(gone.values_list("key_prefix").annotate(Max("key_name")).order_by())
    names: dict[Group, str] = {}
    for kind, prefix in groups:
        if not prefix:
            names[kind, prefix] = _KEYLESS.get(kind, kind)
        elif prefix in now:
            names[kind, prefix] = f"{isolated(now[prefix])} ({prefix}…)"
        else:
            names[kind, prefix] = f"{isolated(then.get(prefix) or 'a key')} ({prefix}…, deleted)"
    return names


def _of_accounts(groups: Collection[Group]) -> dict[Group, str]:
    accounts = {account for (account,) in groups if account}
    users = get_user_model().objects.filter(username__in=accounts)
    known = set(users.values_list("username", flat=True))
    names: dict[Group, str] = {("",): NO_ACCOUNT}
    for account in accounts:
        names[(account,)] = account if account in known else f"{isolated(account)} (deleted)"
    return names
