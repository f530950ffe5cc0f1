"""Signing in by OpenID Connect: the flow in a browser, against a real provider, honest and hostile."""

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session

from inference.core.config import BASE_DIR
from inference.models.federated_identity import FederatedIdentity
from inference.models.sign_in import SignInAttempts
from tests.openid_provider import OpenIDProvider
from tests.playground.openid_visit import (
    HERE,
    ROLES,
    back_from,
    browser,
    is_signed_in,
    query_of,
    sent_to_provider,
    sign_in,
    site_of,
)

pytestmark = pytest.mark.django_db


def test_a_person_signs_in_with_state_nonce_and_pkce(
    provider: OpenIDProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with site_of(provider):
        client = browser()
        address = sent_to_provider(client, "/keys/")
        asked = query_of(address)
        assert address.startswith(f"{provider.issuer}/authorize?")
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        assert asked["redirect_uri"] == "http://127.0.0.1/login/openid/callback/"
        assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 32
        response = client.get(back_from(address))
    assert (response.status_code, response["Location"]) == (302, "/keys/")
    user = User.objects.get()
    assert (user.username, user.email, user.has_usable_password()) == ("ann", "ann@team.example", False)
    identity = FederatedIdentity.objects.get()
    assert (identity.user, identity.issuer, identity.subject) == (user, provider.issuer, "ann-1")
    assert f"'ann' signed in from {HERE} by OpenID Connect" in caplog.messages
    assert not SignInAttempts.objects.exists()
    left = client.session.get_expiry_age()
    assert 11 * 3600 < left <= 12 * 3600


@pytest.mark.parametrize("methods", [["client_secret_post", "client_secret_basic"], ["client_secret_basic"]])
def test_the_client_names_itself_as_the_provider_has_it(provider: OpenIDProvider, methods: list[str]) -> None:
    provider.discovery = {"token_endpoint_auth_methods_supported": methods}
    with site_of(provider):
        assert sign_in(browser()).status_code == 302
    (form,) = [form for place, form in provider.requests if place == "/token"]
    assert ("client_secret" in form) == ("client_secret_post" in methods)


def test_an_answer_counts_once_and_in_its_own_browser(provider: OpenIDProvider) -> None:
    with site_of(provider):
        client, other = browser(), browser("198.51.100.9")
        back = back_from(sent_to_provider(client))
        assert other.get(back).status_code == 403
        sent_to_provider(other)  # a state of its own does not help
        assert other.get(back).status_code == 403 and not is_signed_in(other)
        assert client.get(back).status_code == 302
        assert client.get(back).status_code == 403


def test_an_answer_comes_within_ten_minutes(provider: OpenIDProvider) -> None:
    with site_of(provider):
        back = back_from(sent_to_provider(client := browser()))
        session = client.session
        for kept in session["oidc_states"].values():
            kept["added_on"] -= 601
        session.save()
        assert client.get(back).status_code == 403


def test_who_says_no_at_the_provider_stays_who_they_are(provider: OpenIDProvider) -> None:
    beth = User.objects.create_user("beth", password="love and war")
    with site_of(provider):
        client = browser()
        client.force_login(beth, "django.contrib.auth.backends.ModelBackend")
        invented = client.get("/login/openid/callback/", {"error": "access_denied", "state": "x"})
        state = query_of(sent_to_provider(client))["state"]
        denied = client.get("/login/openid/callback/", {"error": "access_denied", "state": state})
        assert (invented.status_code, denied.status_code) == (403, 403)
        assert client.session["_auth_user_id"] == str(beth.pk)
        sign_in(client)
        assert client.session["_auth_user_id"] == str(User.objects.get(username="ann").pk)


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1"]
)
def test_it_leads_on_within_this_site_alone(provider: OpenIDProvider, target: str) -> None:
    with site_of(provider):
        assert sign_in(browser(), target)["Location"] == "/"


def test_the_answer_of_another_provider_is_refused(provider: OpenIDProvider) -> None:
    with site_of(provider):
        back = back_from(sent_to_provider(client := browser()))
        assert client.get(f"{back}&iss=https://evil.example").status_code == 403
        assert "/token" not in [place for place, _ in provider.requests]


def test_a_provider_that_is_down_stops_no_password(provider: OpenIDProvider) -> None:
    User.objects.create_user("beth", password="love and war")
    with site_of(provider, oidc_issuer="http://127.0.0.1:9/realms/team"):
        client = browser()
        refused = client.get("/login/openid/?next=/keys/")
        assert refused.status_code == 503 and refused["Retry-After"] == "10"
        assert "Signing in with Team is not possible at this moment" in refused.content.decode()
        assert 'action="/login/"' in refused.content.decode()
        assert "Sign in with Team" in client.get("/login/").content.decode()
        answer = client.post("/login/", {"username": "beth", "password": "love and war"})
        assert answer.status_code == 302 and is_signed_in(client)


@pytest.mark.parametrize(
    ("claims", "facts", "status"),
    [
        ({}, {}, 403),
        ({"groups": ["users"]}, {"oidc_roles": ROLES}, 302),
        ({"groups": ["others"]}, {"oidc_roles": ROLES}, 403),
        ({}, {"oidc_email_domains": "team.example"}, 302),
        ({"email_verified": False}, {"oidc_email_domains": "team.example"}, 403),
        ({"email_verified": None}, {"oidc_email_domains": "team.example"}, 403),
        ({"email": "ann@team.example.evil.example"}, {"oidc_email_domains": "team.example"}, 403),
        ({"groups": ["users"]}, {"oidc_roles": ROLES, "oidc_sign_up": "nobody"}, 403),
    ],
)
def test_who_gets_an_account(
    provider: OpenIDProvider, claims: dict[str, Any], facts: dict[str, Any], status: int
) -> None:
    provider.claims |= claims
    with site_of(provider, **({"oidc_sign_up": "listed"} | facts)):
        response = sign_in(browser())
    assert response.status_code == status and User.objects.exists() == (status == 302)
    assert ("may not sign in here" in response.content.decode()) == (status == 403)


def test_an_equal_address_takes_over_no_account(provider: OpenIDProvider) -> None:
    owner = User.objects.create_superuser("ann", "ann@team.example", "love and war")
    with site_of(provider):
        sign_in(client := browser())
        assert client.session["_auth_user_id"] != str(owner.pk)
    assert User.objects.get(federated_identities__subject="ann-1").username == "ann-2"


def test_a_password_is_never_tried_at_the_provider(provider: OpenIDProvider) -> None:
    User.objects.create_user("beth", password="love and war")
    with site_of(provider):
        back = back_from(sent_to_provider(client := browser()))
        query = back.partition("?")[2]
        client.post(f"/login/?{query}", {"username": "beth", "password": "guess"})
        assert not is_signed_in(client)
        assert "/token" not in [place for place, _ in provider.requests]


def test_the_session_of_an_account_that_is_not_active_ends(provider: OpenIDProvider) -> None:
    with site_of(provider):
        sign_in(client := browser())
        assert client.get("/password/").status_code == 200
        User.objects.update(is_active=False)
        assert client.get("/password/").status_code == 302
        assert sign_in(browser()).status_code == 403


def test_without_the_provider_its_sessions_are_over(provider: OpenIDProvider) -> None:
    from inference.accounts.permissions import signed_in

    with site_of(provider):
        sign_in(client := browser())
        assert signed_in(client.session.session_key).is_authenticated
    assert client.get("/password/").status_code == 302
    assert not signed_in(client.session.session_key).is_authenticated


def test_a_session_that_only_asked_is_short_until_somebody_signs_in(provider: OpenIDProvider) -> None:
    User.objects.create_user("beth", password="love and war")
    with site_of(provider):
        sent_to_provider(client := browser())
        assert client.session.get_expiry_age() <= 600
        client.post("/login/", {"username": "beth", "password": "love and war"})
        assert client.session.get_expiry_age() > 86_400
    assert Session.objects.count() == 1


def test_signing_out_ends_both_sessions(provider: OpenIDProvider) -> None:
    with site_of(provider):
        sign_in(client := browser())
        page = client.post("/logout/")
        assert not is_signed_in(client)
        text = page.content.decode()
        assert (
            "You are signed out here" in text
            and f'content="0; url={provider.issuer}/leave?id_token_hint=' in text
        )
        assert "post_logout_redirect_uri=http%3A%2F%2F127.0.0.1%2F" in text
        assert client.post("/logout/")["Location"] == "/"  # nobody is signed in


def test_a_provider_without_a_way_out_is_left_alone(provider: OpenIDProvider) -> None:
    provider.discovery = {"end_session_endpoint": None}
    with site_of(provider):
        sign_in(client := browser())
        assert client.post("/logout/")["Location"] == "/" and not is_signed_in(client)


def test_behind_tls_the_way_back_is_that_of_the_proxy(provider: OpenIDProvider) -> None:
    with site_of(provider, origins="https://llm.example", api_key="a key for the tests"):
        address = sent_to_provider(browser(host="llm.example"), **{"wsgi.url_scheme": "https"})
    assert query_of(address)["redirect_uri"] == "https://llm.example/login/openid/callback/"


@pytest.mark.parametrize("page", ["/login/", "/admin/login/"])
def test_both_pages_have_the_button(provider: OpenIDProvider, page: str) -> None:
    with site_of(provider):
        text = browser().get(f"{page}?next=/admin/auth/user/").content.decode()
    assert (
        '<a class="button other" href="/login/openid/?next=%2Fadmin%2Fauth%2Fuser%2F">Sign in with Team</a>'
        in text
    )
    assert "Sign in with" not in browser().get(page).content.decode()


@pytest.mark.parametrize("is_set", [False, True])
def test_without_the_settings_there_is_nothing_of_it(tmp_path: Path, is_set: bool) -> None:
    program = (
        "import sys, mlxsite.asgi, mlxsite.urls, inference.admin, inference.serving.health.report;"
        "from django.urls import get_resolver;"
        "print([name for name in ('mozilla_django_oidc', 'jwt') if name in sys.modules] != [],"
        " 'openid-callback' in get_resolver().reverse_dict)"
    )
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "mlxsite.settings", "MLX_SERVER_DATA_DIR": str(tmp_path)}
    own = {"ISSUER": "https://id.example", "CLIENT_ID": "site", "CLIENT_SECRET": "s3cret"}
    env |= {f"MLX_SERVER_OIDC_{name}": value for name, value in own.items()} if is_set else {}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=BASE_DIR, env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"{is_set} {is_set}"
