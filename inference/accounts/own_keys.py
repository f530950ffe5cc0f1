"""An account's own API keys, which its owner sees, makes and revokes without access to the admin."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin.models import ADDITION
from django.contrib.auth.models import AbstractUser

from inference.accounts import audit_log, key_renewal
from inference.core.errors import NotFound
from inference.models.api_key import ApiKey

if TYPE_CHECKING:
    OwnKeyFormBase = forms.ModelForm[ApiKey]
else:
    OwnKeyFormBase = forms.ModelForm  # not generic at run time

MOST_KEYS = 100  # of one account, without those that are revoked
_TOO_MANY = f"An account can have at most {MOST_KEYS} keys; revoke an unused one."


class OwnKeyForm(OwnKeyFormBase):
    """A new key of `owner`: for chats and embeddings only, within the limits of the account."""

    class Meta:
        model = ApiKey
        fields = ("name", "can_chat", "can_embed", "expires_at")
        widgets = {"expires_at": forms.DateInput(attrs={"type": "date"})}
        help_texts = {"expires_at": "At the beginning of this day, in UTC. Empty for never."}

    def __init__(self, *args: Any, owner: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.owner = owner

    def clean(self) -> dict[str, Any]:
        if keys_of(self.instance.owner).filter(is_revoked=False).count() >= MOST_KEYS:
            raise forms.ValidationError(_TOO_MANY)
        return super().clean() or self.cleaned_data

    def make(self) -> tuple[ApiKey, str]:
        """Store the key; returns it with its secret, which can be seen only now."""
        secret = self.instance.give_secret()
        key = self.save()
        audit_log.record(key.owner, key.owner, key, "Created on the page API keys.", ADDITION)
        return key, secret


def may_make(user: Any) -> bool:
    """Whether this account may make keys for itself; queries the database."""
    return isinstance(user, AbstractUser) and user.has_perms(
        ("inference.ask_servedmodel", "inference.add_apikey")
    )


def may_see(user: Any) -> bool:
    """Whether this account has a page of its own keys: it may make some, or has some."""
    return isinstance(user, AbstractUser) and (may_make(user) or keys_of(user).exists())


def keys_of(user: Any) -> Any:
    """The account's keys, those that open something first."""
    return ApiKey.objects.filter(owner=user).order_by("is_revoked", "name", "pk")


def own_key(user: Any, pk: int) -> ApiKey:
    """One of the account's keys; raises NotFound."""
    key: ApiKey | None = keys_of(user).filter(pk=pk).first()
    if key is None:
        raise NotFound("You have no API key with this id.")
    return key


def may_renew(user: Any, key: ApiKey) -> bool:
    """Whether the account may have a new secret of its key: it may make keys, and with these scopes."""
    return may_make(user) and key_renewal.may_renew(user, key)


def revoke(user: Any, pk: int) -> ApiKey:
    """Revoke one of the account's keys; raises NotFound."""
    key = own_key(user, pk)
    if not key.is_revoked:
        key.revoke()
        audit_log.record(user, user, key, "Revoked.")
    return key
