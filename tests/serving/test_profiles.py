"""The profiles of models, as /api and manage.py save them."""

from typing import Any

import pytest
from msgspec.structs import replace

from inference.core.errors import InvalidValue, ModelNotFound, NotFound
from inference.core.model_card import LoraCard
from inference.core.profile import Profile
from inference.core.requests import Sampling
from inference.models import ModelProfile, ServedModel
from inference.serving import profiles
from tests.fakes import FakeRunner, card, serving

pytestmark = pytest.mark.django_db(transaction=True)
CARDS = [
    card("tiny", aliases=("t",), loras=(LoraCard(name="pirate", path="/p"),)),
    card("tiny:other"),
    card("large"),
]


@pytest.fixture(autouse=True)
def site() -> Any:
    with serving(FakeRunner(), cards=CARDS):
        yield


def test_one_is_saved_by_an_alias_replaced_whole_and_deleted() -> None:
    saved = profiles.save("t", "terse", {"system": "Be terse.", "temperature": 0.0, "top_k": 5})
    assert (saved.id, saved.temperature, saved.top_p) == ("tiny:terse", 0.0, None)
    (kept,) = ServedModel.objects.choices()["tiny"].profiles
    assert (kept.system, kept.sampling) == ("Be terse.", Sampling(temperature=0.0, top_k=5))
    again = profiles.save("tiny", "terse", {"template_options": {"enable_thinking": False}})
    assert (again.system, again.top_k, again.template_options) == ("", None, {"enable_thinking": False})
    profiles.save("large", "calm", {})
    assert [one.id for one in profiles.listed()] == ["large:calm", "tiny:terse"]
    assert [one.id for one in profiles.listed("t")] == ["tiny:terse"]
    assert profiles.delete("t", "terse") == "tiny" and profiles.listed("tiny") == []
    with pytest.raises(NotFound):
        profiles.delete("tiny", "terse")


def test_that_of_a_model_whose_folder_is_gone_can_be_deleted() -> None:
    ModelProfile.objects.create(model=ServedModel.objects.create(name="gone"), name="old")
    assert [one.id for one in profiles.listed()] == ["gone:old"]
    assert profiles.delete("gone", "old") == "gone"


@pytest.mark.parametrize(
    ("name", "fields", "param"),
    [
        ("pirate", {}, "name"),
        ("other", {}, "name"),
        ("latest", {}, "name"),
        ("a b", {}, "name"),
        ("hot", {"temperature": 3.0}, "temperature"),
        ("none", {"top_p": 0.0}, "top_p"),
        ("odd", {"top_p": float("nan")}, "top_p"),
        ("negative", {"top_k": -1}, "top_k"),
        ("deep", {"template_options": {"a": [1]}}, "template_options"),
        ("long", {"system": "x" * 100_001}, "system"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(name: str, fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        profiles.save("tiny", name, fields)
    assert refused.value.param == param and not ModelProfile.objects.exists()


def test_a_model_that_is_not_here_has_none() -> None:
    with pytest.raises(ModelNotFound):
        profiles.save("nobody", "terse", {})
    with pytest.raises(ModelNotFound):
        profiles.listed("nobody")
    assert not ServedModel.objects.filter(name="nobody").exists()


@pytest.mark.parametrize(
    ("name", "kind"), [("tiny:pirate", "an adapter"), ("t:pirate", "an adapter"), ("tiny:terse", "a profile")]
)
def test_an_adapter_and_a_profile_have_none(name: str, kind: str) -> None:
    profiles.save("tiny", "terse", {})
    text = f"{name} is {kind}; profiles are those of a whole model: name tiny."
    with serving(FakeRunner(), cards=[replace(CARDS[0], profiles=(Profile(name="terse"),))]):
        with pytest.raises(InvalidValue, match=text) as refused:
            profiles.save(name, "x", {})
        assert refused.value.param == "model"
        with pytest.raises(InvalidValue, match=text):
            profiles.delete(name, "terse")
        with pytest.raises(InvalidValue, match=text):
            profiles.listed(name)
    assert [one.id for one in profiles.listed()] == ["tiny:terse"]
