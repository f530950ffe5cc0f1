from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from inference.checks import (
    check_blas,
    check_exposure,
    check_key,
    check_names,
    check_privacy,
    check_proxy,
    check_sign_up,
)
from inference.core.config import Config


def test_it_hints_how_to_get_a_fast_blas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("inference.core.blas._OPENBLAS", ())
    monkeypatch.setattr("inference.core.blas._MKL", ())
    monkeypatch.setattr("inference.core.blas._WHEEL", "no-such-package")
    (warning,) = check_blas(None)
    assert warning.hint and "scipy-openblas32" in warning.hint and "libopenblas0-pthread" in warning.hint


def test_it_says_nothing_when_the_operator_chose_one(settings: Settings) -> None:
    settings.CONFIG = Config(blas="/opt/libfast.so")
    assert check_blas(None) == []


def test_listening_beyond_loopback_without_a_key_is_an_error(settings: Settings) -> None:
    settings.CONFIG = Config(host="0.0.0.0")
    assert [found.id for found in check_exposure(None)] == ["inference.E001"]


def test_with_a_key_it_may_listen_anywhere(settings: Settings) -> None:
    settings.CONFIG = Config(host="0.0.0.0", api_key="a-long-random-value")
    assert check_exposure(None) == []


def test_a_proxy_that_is_not_named_is_remarked_on(settings: Settings) -> None:
    behind: dict[str, Any] = {"origins": "https://llm.example", "api_key": "k" * 16}
    settings.CONFIG = Config(**behind)
    assert [one.id for one in check_proxy(None)] == ["inference.W004"]
    for config in (Config(), Config(**behind, trusted_proxies="127.0.0.1")):
        settings.CONFIG = config
        assert check_proxy(None) == []


@pytest.mark.parametrize(("key", "found"), [(None, []), ("k" * 15, ["inference.W002"]), ("k" * 16, [])])
def test_a_key_that_can_be_guessed_is_remarked_on(
    settings: Settings, key: str | None, found: list[str]
) -> None:
    settings.CONFIG = Config(api_key=key)
    assert [one.id for one in check_key(None)] == found


def test_a_misspelt_setting_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLX_SERVER_MEMORY_LIMT", "1GB")
    assert [one.id for one in check_names(None)] == ["inference.E002"]


def test_the_default_settings_pass_djangos_own_checks() -> None:
    assert [found for found in run_checks() if found.id and not found.id.startswith("inference.W")] == []


def test_a_data_folder_that_others_may_read_is_reported(settings: Settings, tmp_path: Path) -> None:
    settings.CONFIG = Config(data_dir=tmp_path)
    tmp_path.chmod(0o700)
    assert check_privacy(None) == []
    (tmp_path / "site.sqlite3").touch()
    (tmp_path / "site.sqlite3").chmod(0o644)
    (found,) = check_privacy(None)
    assert found.id == "inference.W003" and f"{tmp_path}/site.sqlite3 (0644)" in found.msg


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        ({}, ["inference.W005"]),
        ({"oidc_roles": "users=chat"}, []),
        ({"oidc_email_domains": "team.example"}, []),
        ({"oidc_sign_up": "nobody"}, []),
        ({"oidc_sign_up": "anybody"}, []),
        ({"oidc_sign_up": "anybody", "oidc_issuer": "https://accounts.google.com"}, ["inference.W006"]),
    ],
)
def test_who_gets_an_account_is_no_accident(
    settings: Settings, facts: dict[str, Any], found: list[str]
) -> None:
    own = {"oidc_issuer": "https://id.example", "oidc_client_id": "site", "oidc_client_secret": "s3cret"}
    assert check_sign_up(None) == []
    settings.CONFIG = Config(**(own | facts))
    assert [one.id for one in check_sign_up(None)] == found
