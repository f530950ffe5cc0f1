"""The form of an upstream: its key is written here and never shown again."""

from typing import Any

from django import forms

from inference.models import Upstream
from inference.serving import upstreams
from inference.storage import upstream_routes


class UpstreamForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's own class is not generic at run time
    """An upstream; an empty key leaves the one that there is."""

    key = forms.CharField(
        label="API key",
        required=False,
        max_length=2000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "class": "vTextField"}),
        help_text="The API key of the other server. It is stored encrypted and never shown.",
    )
    removes_key = forms.BooleanField(
        label="Remove the key",
        required=False,
        help_text="Requests to the server are then sent without a key.",
    )

    class Meta:
        model = Upstream
        fields = ("name", "base_url", "engine", "is_enabled")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.sealed_key and "key" in self.fields:
            self.fields["key"].help_text += " Leave it empty to keep the stored key."
        if not self.instance.sealed_key:
            self.fields.pop("removes_key", None)

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"]
        try:
            return upstreams.checked_key(key)
        except forms.ValidationError as error:
            raise forms.ValidationError(error.messages) from None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if "base_url" in data:
            upstreams.check_host(Upstream(base_url=data["base_url"]))
        return data

    def save(self, commit: bool = True) -> Any:
        if key := self.cleaned_data.get("key"):
            self.instance.sealed_key = upstream_routes.seal(key)
        elif self.cleaned_data.get("removes_key"):
            self.instance.sealed_key = ""
        return super().save(commit)
