"""The identities of an account on its page: for owners, where a provider is set."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings

from inference.core.config import Config
from inference.models.federated_identity import FederatedIdentity
from tests.people import client_of

TITLE = "sign-ins by OpenID Connect"
PROVIDER = Config(oidc_issuer="https://id.example", oidc_client_id="site", oidc_client_secret="s3cret")


@pytest.fixture
def ann(db: None) -> User:
    return User.objects.create_user("ann")


def page_of(user: User) -> str:
    return f"/admin/auth/user/{user.pk}/change/"


def test_an_owner_binds_an_account(staff: Client, ann: User) -> None:
    with override_settings(CONFIG=PROVIDER):
        assert TITLE in staff.get(page_of(ann)).content.decode().replace("Sign", "sign")
        form: dict[str, Any] = {"username": "ann", "role": "chat", "is_active": "on"}
        form |= {"limits-TOTAL_FORMS": 0, "limits-INITIAL_FORMS": 0}
        form |= {"federated_identities-TOTAL_FORMS": 1, "federated_identities-INITIAL_FORMS": 0}
        form |= {
            "federated_identities-0-issuer": "https://id.example",
            "federated_identities-0-subject": "ann-1",
        }
        response = staff.post(page_of(ann), form)
    assert response.status_code == 302, response.content.decode()
    assert FederatedIdentity.objects.get().user == ann


def test_nobody_else_does(staff: Client, ann: User) -> None:
    with override_settings(CONFIG=PROVIDER):
        other = client_of("beth", "view_user", "change_user")
        assert TITLE not in other.get(page_of(ann)).content.decode().replace("Sign", "sign")
    assert TITLE not in staff.get(page_of(ann)).content.decode().replace("Sign", "sign")
