"""The settings for signing in by OpenID Connect: one line says what is wrong."""

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from inference.core import config as module
from inference.core import openid_settings
from inference.core.config import Config

GIVEN: dict[str, Any] = {
    "oidc_issuer": "https://id.example/realms/team/",
    "oidc_client_id": "site",
    "oidc_client_secret": "s3cret",
}


def test_they_are_read() -> None:
    config = Config(
        **GIVEN,
        oidc_roles="llm-users=chat, cn=bosses=owner",
        oidc_email_domains="@Team.example, other.example",
        oidc_scopes=" openid  email",
    )
    assert config.oidc_role_of == {"llm-users": "chat", "cn=bosses": "owner"}
    assert config.oidc_domains == {"team.example", "other.example"}
    assert (config.oidc_label, config.oidc_scopes, config.oidc_secret) == (
        "id.example",
        "openid email",
        "s3cret",
    )
    assert Config(**GIVEN, oidc_name="Team").oidc_label == "Team"
    assert (Config().oidc_label, Config().oidc_secret) == ("", "")


def test_the_secret_may_be_in_a_file_and_change(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("one\n")
    config = Config(oidc_issuer="https://id.example", oidc_client_id="site", oidc_client_secret_file=file)
    assert config.oidc_secret == "one"
    file.write_text("another\n")
    assert config.oidc_secret == "another"


WRONG = [
    ({"OIDC_ISSUER": "id.example"}, "OIDC_ISSUER: 'id.example' is not a URL: give one such as https://"),
    ({"OIDC_ISSUER": "https://id.example/?a=b"}, "OIDC_ISSUER: 'https://id.example/?a=b' is not a URL"),
    ({"OIDC_ISSUER": "https://me:pw@id.example"}, "OIDC_ISSUER: 'https://me:pw@id.example' is not a URL"),
    ({"OIDC_ISSUER": "http://id.example"}, "OIDC_ISSUER: 'http://id.example' must begin with https://"),
    ({"OIDC_CLIENT_ID": ""}, "OIDC_CLIENT_ID: give the client id that the provider has for this site"),
    ({"OIDC_CLIENT_SECRET": ""}, "OIDC_CLIENT_SECRET: it is empty"),
    ({"OIDC_CLIENT_SECRET_FILE": "/none"}, "OIDC_CLIENT_SECRET_FILE: give MLX_SERVER_OIDC_CLIENT_SECRET or"),
    ({"OIDC_SCOPES": "email"}, "OIDC_SCOPES: `openid` must be among them"),
    ({"OIDC_ROLES": "a=boss"}, "OIDC_ROLES: 'a=boss' is none; write GROUP=chat, GROUP=manage or GROUP=owner"),
    ({"OIDC_ROLES": "admins"}, "OIDC_ROLES: 'admins' is none"),
    ({"OIDC_EMAIL_DOMAINS": "*"}, "OIDC_EMAIL_DOMAINS: name each host"),
    ({"OIDC_SIGN_UP": "everybody"}, "OIDC_SIGN_UP: Input should be 'listed', 'anybody' or 'nobody'"),
    ({"OIDC_SESSION_HOURS": "0"}, "OIDC_SESSION_HOURS: Input should be greater than or equal to 1"),
]


@pytest.mark.parametrize(("given", "message"), WRONG)
def test_what_is_wrong_is_one_line(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], message: str
) -> None:
    for name, text in ({name.upper(): value for name, value in GIVEN.items()} | given).items():
        monkeypatch.setenv(f"MLX_SERVER_{name}", text)
    assert f"MLX_SERVER_{message}" in refusal()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"OIDC_ISSUER": "https://id.example"}, "OIDC_CLIENT_ID: give the client id"),
        (
            {"OIDC_ISSUER": "https://id.example", "OIDC_CLIENT_ID": "site"},
            "OIDC_CLIENT_SECRET_FILE: name a file with the client's secret, or set",
        ),
        (
            {"OIDC_ISSUER": "https://id.example", "OIDC_CLIENT_SECRET_FILE": "/none"},
            "OIDC_CLIENT_SECRET_FILE: /none cannot be read: No such file or directory",
        ),
        ({"OIDC_CLIENT_ID": "site"}, "OIDC_CLIENT_ID: it has no effect without MLX_SERVER_OIDC_ISSUER"),
        ({"OIDC_ROLES": "a=chat"}, "OIDC_ROLES: it has no effect without MLX_SERVER_OIDC_ISSUER"),
    ],
)
def test_what_is_missing_is_said(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], message: str
) -> None:
    for name, text in given.items():
        monkeypatch.setenv(f"MLX_SERVER_{name}", text)
    assert f"MLX_SERVER_{message}" in refusal()


def test_without_the_library_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openid_settings, "_LIBRARY", "no_such_library")
    monkeypatch.setenv("MLX_SERVER_OIDC_ISSUER", "https://id.example")
    assert "MLX_SERVER_OIDC_ISSUER: it needs an optional part: pip install -e '.[oidc]'" in refusal()


def test_a_provider_on_this_machine_needs_no_tls() -> None:
    facts: dict[str, Any] = GIVEN | {"oidc_issuer": "http://127.0.0.1:9000/o/site/"}
    assert Config(**facts).oidc_label == "127.0.0.1"


def refusal() -> str:
    module.config.cache_clear()
    try:
        with pytest.raises(ImproperlyConfigured) as refused:
            module.config()
    finally:
        module.config.cache_clear()
    text = str(refused.value)
    assert "\n" not in text
    return text
