"""The forms of an account: its role is a menu, and the rights behind it stay within reach."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm

from inference.accounts.roles import GIVEN, LABELS, LastOwner, Role, check_not_last_owner, role_of

_HELP = (
    "May chat: the playground. May manage: models, downloads and the records of requests, too. "
    "Owner: everything, accounts and keys included."
)
_HELP_OF_RIGHTS = {
    "username": "At most 150 letters, digits and @ . + - _",
    "password": "It is stored as a hash and cannot be read.",
    "is_active": "A disabled account cannot sign in, and its keys are rejected. Its chats are kept.",
    "is_staff": "Can open the admin and see the pages that the permissions allow.",
    "is_superuser": "Has all permissions.",
}


def _choices(*roles: Role) -> list[tuple[str, str]]:
    return [(role.value, LABELS[role]) for role in roles]


class AccountForm(UserChangeForm):  # type: ignore[type-arg]  # not generic at run time
    """An account's page. A changed role overrides the individual permissions below it."""

    role = forms.ChoiceField(required=False, help_text=_HELP)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.role_before = role_of(self.instance)
        for name in self.fields.keys() & _HELP_OF_RIGHTS.keys():
            self.fields[name].help_text = _HELP_OF_RIGHTS[name]
        if "role" in self.fields:
            more = (Role.CUSTOM,) if self.role_before == Role.CUSTOM else ()
            self.fields["role"].choices = _choices(*GIVEN, *more)  # type: ignore[attr-defined]
            self.initial["role"] = self.role_before.value

    @property
    def chosen_role(self) -> Role | None:
        """The changed role; None if it did not change, or if the individual permissions apply."""
        role = Role(self.cleaned_data.get("role") or self.role_before)
        return None if role in {self.role_before, Role.CUSTOM} else role

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        role = Role(cleaned.get("role") or self.role_before)
        stays_owner = role == Role.OWNER and (self.chosen_role or cleaned.get("is_superuser", True))
        if not stays_owner or not cleaned.get("is_active", True):
            try:
                check_not_last_owner(self.instance)
            except LastOwner as error:
                raise forms.ValidationError(str(error)) from None
        return cleaned


class NewAccountForm(AdminUserCreationForm):  # type: ignore[type-arg]  # not generic at run time
    """The page that adds an account, which may chat unless another role is chosen."""

    role = forms.ChoiceField(
        required=False, choices=_choices(*GIVEN), initial=Role.CHAT.value, help_text=_HELP
    )
    role_before = Role.CHAT

    @property
    def chosen_role(self) -> Role | None:
        role = Role(self.cleaned_data.get("role") or Role.CHAT)
        return None if role == Role.CHAT else role
