import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from inference.core.profile import Profile
from inference.models.api_key import ApiKey
from tests.accounts.making import make_key
from tests.fakes import FakeRunner, card, serving

pytestmark = pytest.mark.django_db
ADD = reverse("admin:inference_apikey_add")


def offered(page: str) -> list[str]:
    return re.findall(r'name="allowed_models" value="([^"]+)"', page)


def test_the_models_of_a_key_are_chosen_from_those_that_are_here(staff: Client) -> None:
    owner: Any = User.objects.earliest("pk").pk
    with serving(
        FakeRunner(), cards=[card("tiny", profiles=(Profile(name="terse"),)), card("b", problem="x")]
    ):
        assert offered(staff.get(ADD).content.decode()) == ["tiny", "tiny:terse"]
        body = {"name": "laptop", "owner": owner, "can_chat": "on"}
        staff.post(ADD, body | {"allowed_models": ["tiny:terse"]})
        assert ApiKey.objects.get().allowed_models == ["tiny:terse"]
        refused = staff.post(ADD, body | {"name": "other", "allowed_models": ["nobody"]})
        assert "nobody is not one of the available choices" in refused.content.decode()
        staff.post(ADD, body | {"name": "all"})
        assert ApiKey.objects.get(name="all").allowed_models == []


def test_a_model_that_is_gone_can_stay_chosen(staff: Client) -> None:
    key, _ = make_key(allowed_models=["gone"])
    with serving(FakeRunner(), cards=[card("tiny")]):
        page = staff.get(reverse("admin:inference_apikey_change", args=[key.pk])).content.decode()
    assert offered(page) == ["tiny", "gone"] and "gone (currently missing)" in page
