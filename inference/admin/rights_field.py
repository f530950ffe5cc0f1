"""The permissions of an account or a group as boxes to tick, which need no script and fit a phone."""

from typing import Any

from django import forms
from django.contrib.auth.models import Permission
from django.db.models import Model


class RightsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # not generic at run time
    """Each permission by its own words, without its app and its table."""

    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, obj: Model) -> str:
        return obj.name if isinstance(obj, Permission) else str(obj)


def rights_field(name: str, **options: Any) -> dict[str, Any]:
    """The options for a many-to-many field of this name, of Django's user or group."""
    if name in {"permissions", "user_permissions"}:
        permissions = Permission.objects.select_related("content_type")
        order = ("content_type__app_label", "content_type__model", "codename")
        options |= {"form_class": RightsField, "queryset": permissions.order_by(*order)}
    return options | {"widget": forms.CheckboxSelectMultiple, "help_text": ""}
