"""Conversations in the admin: whose they are and how old, and none of their items."""

import pytest
from django.test import Client

from inference.storage.conversation_store import Conversations

pytestmark = pytest.mark.django_db


def test_the_items_are_not_shown_and_it_can_be_deleted(admin_client: Client) -> None:
    Conversations("user:ada").create("conv_1", {"secret": "mark"}, [{"id": "msg_1", "text": "secret words"}])
    listed = admin_client.get("/admin/inference/storedconversation/").content.decode()
    shown = admin_client.get("/admin/inference/storedconversation/conv_1/change/").content.decode()
    assert "conv_1" in listed and "user:ada" in shown
    assert "secret" not in listed + shown
    admin_client.post("/admin/inference/storedconversation/conv_1/delete/", {"post": "yes"})
    assert Conversations("user:ada").find_items(["msg_1"]) == {}


def test_none_is_made_or_changed_by_hand(admin_client: Client) -> None:
    assert admin_client.get("/admin/inference/storedconversation/add/").status_code == 403
