"""The form of an API key."""

from typing import Any

from django import forms

from inference.core.model_card import requestable
from inference.models.api_key import ApiKey
from inference.serving import runtime


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's own class is not generic at run time
    """A key; its models are chosen from those that are here, and from what was chosen before."""

    allowed_models = forms.MultipleChoiceField(
        label="Models",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=(
            "The models that the key can list and use, each with its adapters and profiles. None selected: "
            "all."
        ),
    )

    class Meta:
        model = ApiKey
        fields = ("allowed_models",)  # the admin adds the others

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "allowed_models" in self.fields:
            here = [card.id for card in requestable(runtime.catalog().scan())]
            gone = [name for name in self.instance.allowed_models if name not in here]
            choices = [(name, name) for name in here] + [
                (name, (f"{name} (currently missing)")) for name in gone
            ]
            self.fields["allowed_models"].choices = choices  # type: ignore[attr-defined]
