"""The form that quantises one model: each choice with what it would make."""

from dataclasses import dataclass
from typing import Any

from django import forms

from inference.core.model_card import ModelCard
from inference.core.quantisation import BITS, GROUP_SIZES, RECIPES, QuantisationSettings
from inference.core.units import in_gb_or_mb
from inference.serving import quantising

_LONGEST_NAME = 193
_CHOICES = [*((str(bits), f"{bits} bits") for bits in BITS), *((recipe, recipe) for recipe in RECIPES)]
_NOTES = {
    "8": "hardly any loss",
    "6": "little loss",
    "5": "some loss",
    "4": "the usual one",
    "mixed_2_6": "2 bits, and 6 for the most important layers: a large loss",
    "mixed_3_4": "3 bits, and 4 for the most important layers",
    "mixed_3_6": "3 bits, and 6 for the most important layers",
    "mixed_4_6": "4 bits, and 6 for the most important layers",
}


@dataclass(frozen=True, kw_only=True)
class ChoiceRow:
    """One choice of the form: what it is, and what it would make and take."""

    value: str
    text: str
    note: str
    is_chosen: bool
    size: str
    memory: str
    needed: str


class QuantisationForm(forms.Form):
    """Bits or a recipe, the size of groups, the name, and whether both models are measured."""

    how = forms.ChoiceField(choices=_CHOICES, initial="4", label="Bits or recipe")
    group_size = forms.TypedChoiceField(
        coerce=int,
        choices=[(size, str(size)) for size in GROUP_SIZES],
        initial=GROUP_SIZES[0],
        help_text="The number of weights that share a scale. The sizes above are for 64; smaller groups lose "
        "less quality and need more memory.",
    )
    name = forms.CharField(required=False, max_length=_LONGEST_NAME)
    measures = forms.BooleanField(
        required=False,
        initial=True,
        label="Measure the perplexity of both models",
        help_text=(
            "This shows the loss of quality. It loads the complete original into memory, and takes longer."
        ),
    )

    def __init__(self, card: ModelCard, data: Any = None) -> None:
        """Raises ConversionRefused for a model that cannot be read."""
        super().__init__(data, label_suffix="")
        self._predictions = quantising.predictions(card)
        names = f"{card.id}-4bit, {card.id}-mixed_4_6 and so on"
        self.fields["name"].help_text = f"The new model's name; empty for {names}."

    @property
    def settings(self) -> QuantisationSettings:
        """What was chosen; of a valid form."""
        return quantising.settings_of(self.cleaned_data["how"], self.cleaned_data["group_size"])

    @property
    def rows(self) -> list[ChoiceRow]:
        """The choices with their predictions."""
        chosen, predicted = self["how"].value(), self._predictions
        return [
            ChoiceRow(
                value=value,
                text=text,
                note=_NOTES[value],
                is_chosen=value == chosen,
                size=in_gb_or_mb(predicted[value].bytes),
                memory=in_gb_or_mb(predicted[value].memory_bytes),
                needed=in_gb_or_mb(predicted[value].needed_memory_bytes),
            )
            for value, text in _CHOICES
        ]
