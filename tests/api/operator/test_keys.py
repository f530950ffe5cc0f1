"""API keys over /api: who may list, issue, renew and revoke them, and what is refused."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from pydantic import SecretStr

from inference.models.api_key import ApiKey
from tests.accounts.making import make_key
from tests.api.openai.asking import error_of
from tests.fakes import FakeRunner, card, serving
from tests.people import client_of, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
OPERATOR = {"authorization": "Bearer a-secret-of-the-site-12345"}
RIGHTS = ("view_apikey", "add_apikey", "change_apikey")


@pytest.fixture(autouse=True)
def site(settings: Any) -> Iterator[None]:
    settings.CONFIG = settings.CONFIG.model_copy(update={"api_key": SecretStr("a-secret-of-the-site-12345")})
    with serving(FakeRunner(), cards=[card("tiny", aliases=("t",))]):
        yield


def post(client: Client, path: str = "", headers: dict[str, str] | None = None, **body: Any) -> Any:
    return client.post(f"/api/keys{path}", json.dumps(body), content_type="application/json", headers=headers)


def test_one_is_issued_listed_used_renewed_and_revoked() -> None:
    ann = client_of("ann", *RIGHTS)
    made = post(ann, name="laptop", models=["t"], tokens_per_day=1000, expires="30d")
    assert made["cache-control"].startswith("max-age=0") and made.status_code == 200
    key = made.json()
    assert (key["owner"], key["scopes"], key["models"]) == ("ann", ["chat", "embeddings"], ["tiny"])
    (shown,) = ann.get("/api/keys").json()["keys"]
    assert shown == key | {"secret": None}
    assert Client().get("/v1/models", headers={"authorization": f"Bearer {key['secret']}"}).status_code == 200
    renewed = post(ann, "/renew", prefix=key["prefix"], grace_hours=2).json()
    assert renewed["secret"] not in ("", None, key["secret"]) and renewed["old_secret_end"]
    assert post(ann, "/revoke", prefix=key["prefix"]).json()["state"] == "revoked"
    assert post(ann, "/revoke", prefix=key["prefix"]).status_code == 200
    assert error_of(post(ann, "/renew", prefix=key["prefix"]))["param"] == "prefix"
    texts = list(LogEntry.objects.order_by("pk").values_list("change_message", flat=True))
    assert texts == ["Created.", "Renewed.", "Revoked."]


@pytest.mark.parametrize(
    ("body", "param", "text"),
    [
        ({"name": "x", "models": ["nobody"]}, "models", "no model 'nobody'"),
        ({"name": "x", "owner": "bob"}, "owner", "no user 'bob'"),
        ({"name": "x", "expires": "yesterday"}, "expires", "30d"),
        ({"name": "x", "expires": "2020-01-31"}, "expires", "future"),
        ({"name": "x", "expires": "0d"}, "expires", "future"),
        ({"name": "x", "expires": ""}, "expires", "30d"),
        ({"name": "x", "expires": 1893456000}, "expires", "30d"),
        ({"name": "x", "scopes": ["root"]}, "scopes.0", "chat"),
        ({"name": "x", "scopes": []}, "scopes", "at least 1"),
        ({"name": "laptop"}, "name", "already has a key"),
        ({"name": ""}, "name", "at least 1"),
        ({"name": "x", "tokens_per_day": 0}, "tokens_per_day", "greater than or equal to 1"),
        ({"name": "x", "colour": "red"}, "colour", "colour"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(body: dict[str, Any], param: str, text: str) -> None:
    ann = client_of("ann", *RIGHTS)
    make_key(owner=User.objects.get(username="ann"))
    error = error_of(post(ann, **body))
    assert error["param"] == param and text in error["message"]
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize("end", ["2020-01-31", "0d", "yesterday", 5])
def test_a_renewal_is_refused_by_the_name_of_its_field(end: Any) -> None:
    ann = client_of("ann", *RIGHTS)
    key, _ = make_key(owner=User.objects.get(username="ann"))
    assert error_of(post(ann, "/renew", prefix=key.prefix, expires=end))["param"] == "expires"


def test_nobody_gives_a_scope_that_they_lack() -> None:
    ann = client_of("ann", *RIGHTS)
    refused = post(ann, name="x", scopes=["manage"])
    assert (refused.status_code, error_of(refused)["param"]) == (403, "scopes")
    may_more, _ = make_key(name="more", can_manage=True)
    assert post(ann, "/renew", prefix=may_more.prefix).status_code == 403
    root = signed_in(User.objects.create_superuser("root"))
    assert post(root, name="x", owner="ann", scopes=["manage", "metrics"]).json()["owner"] == "ann"


@pytest.mark.parametrize(
    ("rights", "statuses"),
    [
        (("view_apikey",), (200, 403, 403)),
        (("view_apikey", "add_apikey"), (200, 200, 403)),
        (("change_apikey",), (403, 403, 200)),
        (("run_servedmodel",), (403, 403, 403)),
    ],
)
def test_each_needs_the_permission_of_its_page(rights: tuple[str, ...], statuses: tuple[int, ...]) -> None:
    key, _ = make_key()
    bob = client_of("bob", *rights)
    looked, made = bob.get("/api/keys"), post(bob, name="x")
    assert (
        looked.status_code,
        made.status_code,
        post(bob, "/revoke", prefix=key.prefix).status_code,
    ) == statuses


def test_a_key_makes_no_other_key() -> None:
    User.objects.create_superuser("root")
    _, secret = make_key(owner=User.objects.get(username="root"), can_manage=True)
    headers = {"authorization": f"Bearer {secret}"}
    assert Client().get("/api/keys", headers=headers).status_code == 200
    refused = post(Client(), headers=headers, name="another")
    assert refused.status_code == 403 and "An API key cannot do this" in error_of(refused)["message"]


def test_the_operators_key_issues_for_a_named_user() -> None:
    User.objects.create_user("ann")
    assert error_of(post(Client(), headers=OPERATOR, name="x"))["param"] == "owner"
    made = post(Client(), headers=OPERATOR, name="x", owner="ann", scopes=["manage"])
    assert made.json()["scopes"] == ["manage"]


def test_an_unknown_one_is_404() -> None:
    ann = client_of("ann", *RIGHTS)
    assert [post(ann, path, prefix="nothing").status_code for path in ("/renew", "/revoke")] == [404, 404]


def test_on_an_open_site_a_stranger_sees_none(settings: Any) -> None:
    settings.CONFIG = settings.CONFIG.model_copy(update={"api_key": None})
    assert Client().get("/api/keys").status_code == 403
    assert post(Client(), name="x").status_code == 403
