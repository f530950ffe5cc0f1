"""The form that renews an API key: a new end, and for how long the old secret still works."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms

from inference.accounts import audit_log
from inference.accounts.permissions import Account, may_give
from inference.models.api_key import ApiKey

_GRACES = (("0", "Ends now"), ("24", "Works for 24 hours more"), ("168", "Works for 7 days more"))


class KeyRenewalForm(forms.Form):
    """The renewal of one key."""

    expires_at = forms.DateTimeField(
        label="Expires",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="At the beginning of this day, in UTC. Empty for never.",
    )
    grace = forms.ChoiceField(
        label="Old secret",
        choices=_GRACES,
        help_text=(
            "How long the old secret still works, so that you can give the new one to programs. It never "
            "works past its original expiry date."
        ),
    )

    def __init__(self, data: Any = None, *, key: ApiKey) -> None:
        super().__init__(data, initial={"expires_at": _midnight_after(key.end_after_renewal)})
        self._key = key

    def clean_expires_at(self) -> datetime | None:
        end: datetime | None = self.cleaned_data["expires_at"]
        if end is not None and end <= datetime.now(UTC):
            raise forms.ValidationError("Enter a future day, in UTC. To end a key now, revoke it.")
        return end

    def renew(self, user: Any) -> tuple[ApiKey, str]:
        """Renew the key for `user`; returns it with its new secret, which can be seen only now."""
        grace = timedelta(hours=int(self.cleaned_data["grace"]))
        secret = self._key.renew(expires_at=self.cleaned_data["expires_at"], grace=grace)
        audit_log.record(user, self._key.owner, self._key, "Renewed.")
        return self._key, secret


def may_renew(user: Account, key: ApiKey) -> bool:
    """Whether this account may have a new secret of the key, where it may make keys at all."""
    return not key.is_revoked and all(may_give(user, scope) for scope in key.scopes)


def _midnight_after(end: datetime | None) -> datetime | None:
    return end and (end + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
