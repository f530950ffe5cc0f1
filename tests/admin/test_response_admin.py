"""Stored responses in the admin: their owners and ages, and none of their text."""

import pytest
from django.test import Client

from inference.models import StoredResponse

pytestmark = pytest.mark.django_db


def test_the_text_is_not_shown_and_it_can_be_deleted(admin_client: Client) -> None:
    StoredResponse.objects.create(
        id="resp_1", owner="user:ada", body={"secret": "words"}, input=[{"secret": 1}]
    )
    listed = admin_client.get("/admin/inference/storedresponse/").content.decode()
    shown = admin_client.get("/admin/inference/storedresponse/resp_1/change/").content.decode()
    assert "resp_1" in listed and "user:ada" in shown
    assert "secret" not in listed + shown
    admin_client.post("/admin/inference/storedresponse/resp_1/delete/", {"post": "yes"})
    assert StoredResponse.objects.count() == 0


def test_none_is_made_or_changed_by_hand(admin_client: Client) -> None:
    assert admin_client.get("/admin/inference/storedresponse/add/").status_code == 403
