from typing import Any

import pytest
from django.core.exceptions import ValidationError

from inference.core.profile import Profile
from inference.core.requests import Sampling
from inference.models import ModelProfile, ServedModel

pytestmark = pytest.mark.django_db


def made(**fields: Any) -> ModelProfile:
    model, _ = ServedModel.objects.get_or_create(name="tiny")
    return ModelProfile(**({"name": "terse", "model": model} | fields))


def test_a_profile_is_a_choice_for_its_model() -> None:
    made(system=" Be terse. ", temperature=0.1, template_options={"enable_thinking": False}).save()
    made(name="other").save()
    (choice,) = ServedModel.objects.choices().values()
    assert choice.profiles == (
        Profile(name="other"),
        Profile(
            name="terse",
            system="Be terse.",
            sampling=Sampling(temperature=0.1),
            template_options=(("enable_thinking", False),),
        ),
    )
    ServedModel.objects.sync([])
    assert ServedModel.objects.get().name == "tiny"  # it is missing for now, and something was chosen


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": "a:b"}, "name"),
        ({"name": ""}, "name"),
        ({"name": "latest"}, "name"),
        ({"temperature": 3}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"template_options": [1]}, "template_options"),
        ({"template_options": {"a": {}}}, "template_options"),
        ({"template_options": {str(n): 1 for n in range(17)}}, "template_options"),
    ],
)
def test_other_profiles_are_refused(fields: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError) as error:
        made(**fields).full_clean()
    assert set(error.value.message_dict) == {wrong}
    made().save()
    with pytest.raises(ValidationError):
        made().full_clean()  # a second one of the name
