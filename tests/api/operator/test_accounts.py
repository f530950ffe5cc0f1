"""Accounts and roles over /api."""

import json
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from inference.api.operator import token
from tests.accounts.making import make_key
from tests.api.openai.asking import error_of
from tests.people import client_of, signed_in

pytestmark = pytest.mark.django_db(transaction=True)


def give(client: Client, name: str, role: str, **headers: str) -> Any:
    body = json.dumps({"name": name, "role": role})
    return client.post("/api/accounts/role", body, content_type="application/json", headers=headers)


def test_an_owner_lists_them_and_gives_a_role() -> None:
    root = signed_in(User.objects.create_superuser("root"))
    User.objects.create_user("ann")
    listed = root.get("/api/accounts").json()["accounts"]
    assert [(one["name"], one["role"]) for one in listed] == [("ann", "chat"), ("root", "owner")]
    assert give(root, "ann", "manage").json()["role"] == "manage"
    assert User.objects.get(username="ann").is_staff
    assert LogEntry.objects.get().change_message == "Role: may manage, before: may chat."
    assert give(root, "ann", "manage").status_code == 200 and LogEntry.objects.count() == 1


def test_the_last_owner_stays_one() -> None:
    root = signed_in(User.objects.create_superuser("root"))
    error = error_of(give(root, "root", "chat"))
    assert error["param"] == "role" and "last owner" in error["message"]


def test_others_cannot_raise_themselves() -> None:
    bob = client_of("bob", "view_user", "change_user")
    assert bob.get("/api/accounts").status_code == 200
    refused = give(bob, "bob", "owner")
    assert refused.status_code == 403 and "Only an owner" in error_of(refused)["message"]
    assert not User.objects.get(username="bob").is_superuser


def test_neither_can_a_key_of_an_owner() -> None:
    User.objects.create_superuser("root")
    _, secret = make_key(owner=User.objects.get(username="root"), can_manage=True)
    assert give(Client(), "root", "owner", authorization=f"Bearer {secret}").status_code == 403


def test_manage_py_may() -> None:
    User.objects.create_user("ann")
    assert give(Client(), "ann", "owner", authorization=f"Bearer {token.make()}").json()["role"] == "owner"
    assert give(Client(), "bob", "owner", authorization=f"Bearer {token.make()}").status_code == 404


def test_a_role_that_cannot_be_given_is_refused() -> None:
    User.objects.create_user("ann")
    refused = give(Client(), "ann", "custom", authorization=f"Bearer {token.make()}")
    assert (refused.status_code, error_of(refused)["param"]) == (400, "role")


def activate(client: Client, name: str, is_active: object, **headers: str) -> Any:
    body = json.dumps({"name": name, "is_active": is_active})
    return client.post("/api/accounts/active", body, content_type="application/json", headers=headers)


def test_an_account_is_disabled_and_enabled() -> None:
    bob = client_of("bob", "change_user")
    User.objects.create_user("ann")
    assert activate(bob, "ann", False).json()["is_active"] is False
    assert activate(bob, "ann", False).status_code == 200  # nothing to do
    assert activate(bob, "ann", True).json()["is_active"] is True
    texts = list(LogEntry.objects.order_by("pk").values_list("change_message", flat=True))
    assert texts == ["Disabled.", "Enabled."]
    assert error_of(activate(bob, "ann", "no"))["param"] == "is_active"
    assert error_of(activate(bob, "nobody", True))["param"] == "name"


def test_owners_are_disabled_by_owners_and_the_last_one_by_nobody() -> None:
    root = signed_in(User.objects.create_superuser("root"))
    assert activate(client_of("bob", "change_user"), "root", False).status_code == 403
    assert error_of(activate(root, "root", False))["param"] == "is_active"
    _, secret = make_key(owner=User.objects.get(username="root"), can_manage=True)
    assert activate(Client(), "bob", False, authorization=f"Bearer {secret}").status_code == 403
    assert User.objects.filter(is_active=True).count() == 2
