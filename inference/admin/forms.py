"""The form of one model's settings."""

from typing import Any

from django import forms

from inference.adapters import ADAPTERS
from inference.core.model_card import ModelCard
from inference.models.served_model import LONGEST_ALIAS, MOST_ALIASES, ServedModel
from inference.serving import model_settings, runtime

_SAMPLING = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")


def _contexts(card: ModelCard) -> str:
    """The model's own context, and the part of it that there is memory for."""
    (fit,) = runtime.pool().context_fits(card)
    own = f"The model supports {fit.own:,}"
    if not fit.alone or fit.alone >= fit.own:
        return f"{own}."
    return f"{own}; there is memory for {fit.alone:,} if only pinned models stay loaded."


class NamesField(forms.CharField):
    """A list of names, one per line."""

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


class ModelSettingsForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's own class is not generic at run time
    """The settings of one model that an operator may change."""

    aliases = NamesField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Other names that requests may use for this model, one per line. "
        "<code>claude-*</code> matches all names that begin with <code>claude-</code>.",
    )

    adapter = forms.ChoiceField(
        required=False,
        choices=[("", "Automatic"), *((name, name) for name in sorted(one.name for one in ADAPTERS))],
        label="Chat adapter",
        help_text="How prompts are formatted and answers are parsed, from the next load.",
    )

    draft_model = forms.ChoiceField(
        required=False,
        help_text="A smaller model with the same vocabulary that drafts tokens, from the next load. "
        "It uses additional memory.",
    )

    class Meta:
        model = ServedModel
        fields = (
            *("is_enabled", "is_pinned", "idle_ttl_s", "aliases", "adapter", "context_cap", "kv_bits"),
            *("speculation", "draft_model", "ranks"),
            *_SAMPLING,
        )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in self.fields.keys() & {"kv_bits", "speculation"}:
            field: Any = self.fields[name]
            field.choices = [("", "Site's setting"), *field.choices[1:]]
        if "draft_model" in self.fields:
            self.fields["draft_model"].choices = self._draft_models()  # type: ignore[attr-defined]
        self._card = card = runtime.catalog().exact(self.instance.name)
        if card is None:
            return
        self._add_help("context_cap", _contexts(card))
        for name in _SAMPLING:
            own = getattr(card.own_sampling, name)
            self._add_help(name, "" if own is None else f"The model recommends {own:g}.")

    def _draft_models(self) -> list[tuple[str, str]]:
        """Other models that generate text, and what is chosen now, wherever it is."""
        others = model_settings.possible_drafts(self.instance.name)
        names = {self.instance.draft_model, *others} - {""}
        return [("", "None"), *((name, name) for name in sorted(names))]

    def _add_help(self, name: str, text: str) -> None:
        if name in self.fields and text:  # a user who may only view has no fields
            self.fields[name].help_text = f"{self.fields[name].help_text} {text}"

    def clean_ranks(self) -> int | None:
        ranks: int | None = self.cleaned_data["ranks"]
        if problem := model_settings.ranks_problem(self._card, ranks):
            raise forms.ValidationError(problem)
        return ranks

    def clean_context_cap(self) -> int | None:
        cap: int | None = self.cleaned_data["context_cap"]
        if problem := model_settings.context_problem(self._card, cap):
            raise forms.ValidationError(problem)
        return cap
