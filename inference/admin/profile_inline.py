"""The profiles of a model, on its page."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from inference.models import ModelProfile
from inference.models.sampling_fields import SAMPLING_FIELDS
from inference.serving import profiles


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's own class is not generic at run time
    """One profile; its name must not be that of an adapter of its model, which would win."""

    class Meta:
        model = ModelProfile
        fields = ("name", "system", *SAMPLING_FIELDS, "template_options")
        widgets = {
            "system": forms.Textarea(attrs={"rows": 3}),
            "template_options": forms.Textarea(attrs={"rows": 2}),
        }

    def clean_template_options(self) -> Any:
        return self.cleaned_data["template_options"] or {}

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if problem := profiles.name_problem(self.instance.model.name, name):
            raise ValidationError(problem)
        return name


class ProfileInline(admin.StackedInline):  # type: ignore[type-arg]
    model = ModelProfile
    form = ProfileForm
    extra = 0
    verbose_name_plural = "Profiles"
    fields = (
        "name",
        "system",
        ("temperature", "top_p", "top_k"),
        ("min_p", "repetition_penalty"),
        "template_options",
    )

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True  # for all users who may see the model

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("inference.run_servedmodel")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("inference.run_servedmodel")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("inference.run_servedmodel")
