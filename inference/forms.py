"""What an operator may choose of one model, as a form."""

from typing import Any

from django import forms

from inference.adapters import ADAPTERS
from inference.models import LONGEST_ALIAS, MOST_ALIASES, ServedModel


class NamesField(forms.CharField):
    """A list of names, written one a line."""

    widget = forms.Textarea

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MOST_ALIASES * (LONGEST_ALIAS + 2), **options)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in (super().to_python(value) or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((initial or []) != self.to_python(data))

    def run_validators(self, value: Any) -> None:
        super().run_validators("\n".join(value))


class ChoiceForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's own class is not generic at run time
    """All that is the operator's to choose."""

    aliases = NamesField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Other names that requests may use for it, one a line.",
    )

    adapter = forms.ChoiceField(
        required=False,
        choices=[("", "The one that fits"), *((name, name) for name in sorted(one.name for one in ADAPTERS))],
        help_text="Which adapter reads and writes for it, from the next load on.",
    )

    class Meta:
        model = ServedModel
        fields = (
            *("is_enabled", "is_pinned", "idle_ttl_s", "aliases", "adapter", "context_cap"),
            *("temperature", "top_p", "top_k", "min_p", "repetition_penalty"),
        )
