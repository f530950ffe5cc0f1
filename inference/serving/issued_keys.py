"""API keys as /api and `manage.py key` list, issue, renew and revoke them."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.contrib.admin.models import ADDITION
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from msgspec import Struct

from inference.accounts import audit_log, key_renewal
from inference.accounts.permissions import may_give
from inference.core.errors import InvalidValue, ModelNotFound, NotFound, PermissionDenied
from inference.core.principal import Scope
from inference.models.api_key import ApiKey
from inference.serving import runtime

_FIELDS: dict[Scope, str] = {
    "chat": "can_chat",
    "embeddings": "can_embed",
    "manage": "can_manage",
    "metrics": "can_read_metrics",
}
_DAYS = re.compile(r"(\d{1,5})d")
_HOW_TO_WRITE_AN_END = (
    "give days such as 30d, a date such as 2027-01-31, or a time such as 2027-01-31T10:00+02:00"
)
Giver = User | None  # None: `manage.py`, or the operator's key


class ListedKey(Struct, frozen=True, kw_only=True):
    """A key without its secret; times are UTC, and None is never or no limit."""

    prefix: str
    name: str
    owner: str
    state: str
    scopes: tuple[Scope, ...]
    models: tuple[str, ...]
    requests_per_minute: int | None
    tokens_per_day: int | None
    concurrent_streams: int | None
    expires_at: datetime | None
    created_at: datetime
    last_used_at: datetime | None
    old_secret_end: datetime | None
    secret: str | None = None  # of a new or renewed one, which is shown only once

    @classmethod
    def of(cls, key: ApiKey, secret: str | None = None) -> "ListedKey":
        return cls(
            prefix=key.prefix,
            name=key.name,
            owner=key.owner.get_username(),
            state=key.state,
            scopes=key.scopes,
            models=tuple(key.allowed_models),
            requests_per_minute=key.requests_per_minute,
            tokens_per_day=key.tokens_per_day,
            concurrent_streams=key.concurrent_streams,
            expires_at=key.expires_at,
            created_at=key.created_at,
            last_used_at=key.last_used_at,
            old_secret_end=key.old_secret_end,
            secret=secret,
        )


class KeyWishes(Struct, frozen=True, kw_only=True):
    """What a new key is to be, under the names of the API; an empty owner is the caller's own account."""

    name: str
    owner: str = ""
    scopes: Sequence[Scope] = ("chat", "embeddings")
    models: Sequence[str] = ()
    expires: datetime | None = None
    requests_per_minute: int | None = None
    tokens_per_day: int | None = None
    concurrent_streams: int | None = None


def listed() -> list[ListedKey]:
    """Every key, by name."""
    return [ListedKey.of(key) for key in ApiKey.objects.select_related("owner")]


def issue(wishes: KeyWishes, giver: Giver) -> ListedKey:
    """Store a new key and return it with its secret.

    Raises InvalidValue, ModelNotFound, or PermissionDenied for a scope that the giver may not give.
    """
    _check_may_give(giver, wishes.scopes)
    key = _unsaved(wishes, _owner(wishes.owner, giver))
    secret = key.give_secret()
    try:
        key.full_clean()
    except ValidationError as error:
        raise _refused(error) from None
    key.save()
    audit_log.record(giver, key.owner, key, "Created.", ADDITION)
    return ListedKey.of(key, secret)


def _unsaved(wishes: KeyWishes, owner: User) -> ApiKey:
    """The key that is wished for, without a secret; raises ModelNotFound."""
    return ApiKey(
        name=wishes.name,
        owner=owner,
        expires_at=wishes.expires,
        allowed_models=_model_ids(wishes.models),
        requests_per_minute=wishes.requests_per_minute,
        tokens_per_day=wishes.tokens_per_day,
        concurrent_streams=wishes.concurrent_streams,
        **{field: scope in wishes.scopes for scope, field in _FIELDS.items()},
    )


def renew(prefix: str, giver: Giver, *, expires: datetime | None, grace: timedelta) -> ListedKey:
    """Give a key a new secret and return it with that; without an end it gets as much time as it had.

    Raises NotFound, InvalidValue or PermissionDenied.
    """
    key = _found(prefix)
    if key.is_revoked:
        raise InvalidValue("This key is revoked permanently; create another one.", param="prefix")
    if giver and not key_renewal.may_renew(giver, key):
        raise PermissionDenied("Your account lacks a permission that this key gives.")
    end = expires or key.end_after_renewal
    if end and end <= datetime.now(UTC):
        raise InvalidValue("Enter a future time. To end a key now, revoke it.", param="expires")
    secret = key.renew(expires_at=end, grace=grace)
    audit_log.record(giver, key.owner, key, "Renewed.")
    return ListedKey.of(key, secret)


def revoke(prefix: str, giver: Giver) -> ListedKey:
    """Revoke a key, also one that is revoked already; raises NotFound."""
    key = _found(prefix)
    if not key.is_revoked:
        key.revoke()
        audit_log.record(giver, key.owner, key, "Revoked.")
    return ListedKey.of(key)


def _model_ids(names: Sequence[str]) -> list[str]:
    """The ids of the models, adapters and profiles of these names; raises ModelNotFound."""
    found = [(name, runtime.catalog().find(name)) for name in names]
    cards = [(name, card and card.requested_as(name)) for name, card in found]
    if missing := next((name for name, card in cards if card is None), ""):
        raise ModelNotFound(f"There is no model {missing[:256]!r} here.", param="models")
    return [card.id for _, card in cards if card]


def end_of(text: str) -> datetime:
    """The end of a key from a number of days, a date or a time; UTC unless it names a time zone.

    Raises ValueError with the three ways to write it.
    """
    if days := _DAYS.fullmatch(text):
        return datetime.now(UTC) + timedelta(days=int(days[1]))
    try:
        end = datetime.fromisoformat(text)
        return end.astimezone(UTC) if end.tzinfo else end.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError(_HOW_TO_WRITE_AN_END) from None


def _check_may_give(giver: Giver, scopes: Sequence[Scope]) -> None:
    """Raise PermissionDenied for a scope whose permission the giver has not; the operator has all."""
    refused = [scope for scope in scopes if giver and not may_give(giver, scope)]
    if refused:
        raise PermissionDenied(f"Your account may not give the scope {refused[0]!r}.", param="scopes")


def _owner(name: str, giver: Giver) -> User:
    if not name and giver:
        return giver
    if not name:
        raise InvalidValue("Name the user that the key belongs to.", param="owner")
    user = User.objects.filter(username=name).first()
    if user is None:
        raise InvalidValue(f"There is no user {name[:150]!r}.", param="owner")
    return user


def _found(prefix: str) -> ApiKey:
    key = ApiKey.objects.select_related("owner").filter(prefix=prefix).first()
    if key is None:
        raise NotFound(f"There is no key {prefix[:64]!r}.", param="prefix")
    return key


def _refused(error: ValidationError) -> InvalidValue:
    field, texts = next(iter(error.message_dict.items()))
    names = {"can_chat": "scopes", "allowed_models": "models", "expires_at": "expires"}
    return InvalidValue(" ".join(texts), param=names.get(field, field))
