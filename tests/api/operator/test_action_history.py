"""What accounts do over /api is in the admin's history, under their name."""

import json
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from inference.api.operator import token
from tests.accounts.making import make_key
from tests.fakes import FakeRunner, card, serving
from tests.people import client_of

pytestmark = pytest.mark.django_db(transaction=True)


def pin(client: Client, **headers: str) -> Any:
    body = json.dumps({"model": "tiny"})
    return client.post("/api/models/pin", body, content_type="application/json", headers=headers)


def test_each_action_has_an_entry_with_its_account() -> None:
    User.objects.create_superuser("root")
    _, secret = make_key(owner=User.objects.get(username="root"), can_manage=True)
    with serving(FakeRunner(), cards=[card("tiny")]):
        assert pin(client_of("ann", "run_servedmodel")).status_code == 200
        assert pin(Client(), authorization=f"Bearer {secret}").status_code == 200
        assert pin(Client(), authorization=f"Bearer {token.make()}").status_code == 200  # has no account
        assert pin(Client()).status_code == 200  # of an open site
    entries = [(entry.user.get_username(), entry.change_message) for entry in LogEntry.objects.order_by("pk")]
    assert entries == [("ann", "Pinned tiny."), ("root", "Pinned tiny.")]
