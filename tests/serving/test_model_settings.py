"""What an operator may choose for a model; over HTTP it is tests/api/operator/test_model_settings.py."""

from collections.abc import Iterator
from typing import Any

import pytest

from inference.core.errors import InvalidValue, ModelNotFound
from inference.models import ServedModel
from inference.serving import model_settings
from tests.each import each
from tests.fakes import FakeRunner, card, serving

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def site() -> Iterator[None]:
    cards = [card("tiny", aliases=("t",)), card("small"), card("vectors", kind="embedding")]
    with serving(FakeRunner(), cards=cards):
        yield


def test_some_are_changed_and_the_others_stay() -> None:
    saved = model_settings.save("t", {"context_cap": 1024, "draft_model": "small", "temperature": 0.5})
    assert (saved.model, saved.context_cap, saved.draft_model, saved.temperature) == (
        *("tiny", 1024),
        *("small", 0.5),
    )
    changed = model_settings.save("tiny", {"is_enabled": False}, reset=["context_cap", "draft_model"])
    assert (changed.is_enabled, changed.context_cap, changed.draft_model, changed.temperature) == (
        *(False, None),
        *("", 0.5),
    )
    assert model_settings.of("t") == changed
    assert ServedModel.objects.get(name="tiny").temperature == 0.5


def test_those_of_a_model_without_any_are_the_defaults() -> None:
    found = model_settings.of("small")
    assert (found.is_enabled, found.kv_bits, found.adapter) == (True, None, "")
    assert not ServedModel.objects.exists()  # looking stores nothing
    with pytest.raises(ModelNotFound):
        model_settings.of("nobody")


@each(
    ("model", "changes", "field"),
    [
        ("tiny", {"context_cap": 10**9}, "context_cap"),
        ("tiny", {"context_cap": 3}, "context_cap"),
        ("tiny", {"kv_bits": 5}, "kv_bits"),
        ("tiny", {"ranks": 100}, "ranks"),
        ("vectors", {"ranks": 2}, "ranks"),
        ("tiny", {"draft_model": "tiny"}, "draft_model"),
        ("tiny", {"draft_model": "vectors"}, "draft_model"),
        ("tiny", {"draft_model": "nobody"}, "draft_model"),
        ("tiny", {"adapter": "nothing"}, "adapter"),
        ("tiny", {"speculation": "magic"}, "speculation"),
        ("tiny", {"idle_ttl_s": -2.0}, "idle_ttl_s"),
        ("tiny", {"top_p": 0.0}, "top_p"),
    ],
)
def test_what_a_model_cannot_have_is_refused(model: str, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        model_settings.save(model, changes)
    assert refused.value.param == field
    assert not ServedModel.objects.exists()


def test_a_draft_model_whose_folder_is_gone_hinders_no_other_change() -> None:
    ServedModel.objects.create(name="tiny", draft_model="gone")
    assert model_settings.save("tiny", {"top_k": 5}).draft_model == "gone"


def test_aliases_are_replaced_and_refused_by_the_name_that_clients_send() -> None:
    assert model_settings.save_aliases("tiny", ["a", "claude-*"]) == "tiny"
    assert model_settings.save_aliases("tiny", ["b"]) == "tiny"
    assert ServedModel.objects.get(name="tiny").aliases == ["b"]
    with pytest.raises(InvalidValue) as refused:
        model_settings.save_aliases("small", ["b"])
    assert refused.value.param == "alias_names"


def test_one_whose_folder_is_gone_still_has_settings() -> None:
    ServedModel.objects.create(name="gone", top_k=5)
    assert model_settings.own_name("gone") == "gone"
    assert model_settings.save("gone", {}, reset=["top_k"]).top_k is None


def test_only_models_that_generate_text_draft_for_others() -> None:
    assert model_settings.possible_drafts("tiny") == ["small"]
    assert model_settings.context_problem(None, 5) == model_settings.ranks_problem(None, 1) == ""
