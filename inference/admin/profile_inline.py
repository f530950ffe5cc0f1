"""The profiles of a model, on its page."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput
from django.http import HttpRequest

from inference.api.http import strict_json
from inference.core.errors import InvalidJSON
from inference.models import ModelProfile
from inference.models.sampling_fields import SAMPLING_FIELDS
from inference.serving import profiles

_NOT_AN_OBJECT = 'Enter a JSON object, such as {"enable_thinking": false}.'


class TemplateOptionsField(forms.JSONField):
    """A JSON object within the limits of the API: Django's field fails at what is nested deeply."""

    def to_python(self, value: Any) -> Any:
        if self.disabled or not isinstance(value, str) or value in self.empty_values:
            return super().to_python(value)
        try:
            return strict_json.load_object(value.encode())
        except InvalidJSON:
            raise ValidationError(_NOT_AN_OBJECT) from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What the form shows again, as it was sent where it is not valid."""
        if self.disabled:
            return initial
        try:
            return self.to_python(data)
        except ValidationError:
            return InvalidJSONInput(data)


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's own class is not generic at run time
    """One profile; its name must not be that of an adapter of its model, which would win."""

    template_options = TemplateOptionsField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=ModelProfile._meta.get_field("template_options").help_text,
    )

    class Meta:
        model = ModelProfile
        fields = ("name", "system", *SAMPLING_FIELDS, "template_options")
        widgets = {
            "system": forms.Textarea(attrs={"rows": 3}),
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
