import pytest
from django.core.exceptions import ValidationError

from inference.admin.forms import ModelSettingsForm, NamesField
from inference.core.requests import Sampling
from inference.models import ServedModel
from tests.each import each
from tests.fakes import card, serving


@each(
    ("written", "names"),
    [("", []), (" \r\n ", []), ("a", ["a"]), (" a \r\n\r\nb c\n", ["a", "b c"])],
)
def test_names_are_written_one_a_line(written: str, names: list[str]) -> None:
    assert NamesField(required=False).clean(written) == names


def test_names_are_shown_as_they_are_written() -> None:
    assert NamesField().prepare_value(["a", "b"]) == "a\nb"


def test_a_form_sent_back_as_it_was_has_not_changed() -> None:
    field = NamesField(required=False)
    assert not field.has_changed(["a", "b"], "a\r\nb\r\n")
    assert field.has_changed(["a"], "b")


def test_no_book_is_read() -> None:
    with pytest.raises(ValidationError, match="at most"):
        NamesField().clean("x\n" * 10_000)


@pytest.mark.django_db
def test_it_says_what_the_models_own_is() -> None:
    own = card(context_length=512, own_context=8192, own_sampling=Sampling(temperature=0.6, top_k=20))
    with serving(cards=[own]):
        fields = ModelSettingsForm(instance=ServedModel(name="tiny")).fields
    assert fields["context_cap"].help_text.endswith("The model supports 8,192.")
    assert fields["temperature"].help_text.endswith("The model recommends 0.6.")
    assert fields["top_k"].help_text.endswith("The model recommends 20.")
    assert fields["top_p"].help_text == "Above 0, at most 1."  # its makers say nothing of that


@pytest.mark.django_db
def test_the_longest_context_is_the_models_own_whatever_was_chosen_before() -> None:
    chosen = {"is_enabled": "on", "context_cap": "8192"}
    with serving(cards=[card(context_length=512, own_context=8192)]):
        assert ModelSettingsForm(chosen, instance=ServedModel(name="tiny")).is_valid()
        form = ModelSettingsForm(chosen | {"context_cap": "8193"}, instance=ServedModel(name="tiny"))
        assert form.errors["context_cap"] == [
            "The model supports 8,192 tokens: enter fewer, or leave this empty to use all that fit."
        ]


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["top_p", "repetition_penalty"])
def test_above_zero_is_meant(field: str) -> None:
    with serving():
        assert ModelSettingsForm({field: "0.0001"}, instance=ServedModel(name="tiny")).is_valid()
        assert "above 0" in str(
            ModelSettingsForm({field: "0"}, instance=ServedModel(name="tiny")).errors[field]
        )


@pytest.mark.django_db
def test_the_choices_of_a_model_that_is_gone_can_still_be_seen() -> None:
    with serving():
        assert (
            ModelSettingsForm(instance=ServedModel(name="gone")).fields["top_p"].help_text
            == "Above 0, at most 1."
        )
