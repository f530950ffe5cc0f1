"""The address of a PostgreSQL database: read as PostgreSQL reads it, and refused without a word of it."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from inference.core import config, database_setting
from inference.core.database_setting import of_address
from tests.each import each

SECRET = "pass-word"


def parts(url: str) -> dict[str, Any]:
    found = of_address(url)
    return {name: found[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}


@each(
    ("url", "expected"),
    [
        ("postgres://ann:s%40me%2F@db.example:6543/chats", ("chats", "ann", "s@me/", "db.example", "6543")),
        ("postgresql://ann@[::1]/chats", ("chats", "ann", "", "::1", "")),
        ("postgresql:///chats?host=/run/postgresql", ("chats", "", "", "/run/postgresql", "")),
        ("postgresql://one:1,two:2/chats", ("chats", "", "", "one,two", "1,2")),
    ],
)
def test_an_address_has_these_parts(url: str, expected: tuple[str, ...]) -> None:
    assert tuple(parts(url).values()) == expected


def test_its_options_come_before_ours() -> None:
    options = of_address("postgresql://a/b?sslmode=verify-full&connect_timeout=9")["OPTIONS"]
    assert (options["sslmode"], options["connect_timeout"]) == ("verify-full", "9")
    assert "lock_timeout" in options["options"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"mysql://a:{SECRET}@b/c", "not the URL of a PostgreSQL database"),
        (f"a:{SECRET}@b/c", "not the URL of a PostgreSQL database"),
        (f"postgresql://a:{SECRET}@b", "names no database"),
        (f"postgresql://a:{SECRET}@@b/c", "%40 stands for an @"),
        (f"postgresql://a:@{SECRET}@b/c", "%40 stands for an @"),
        (f"postgresql://a:x/{SECRET}@b/c", "%2F for a slash"),
        (f"postgresql://a:{SECRET}%zz@b/c", "%25 for a percent sign"),
        (f"postgresql://a:{SECRET}@b:port/c", "cannot be read"),
        (f"postgresql://a:{SECRET}@b/c?no_such_option=1", "cannot be read"),
    ],
)
def test_a_wrong_one_is_refused_and_not_quoted(url: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLX_SERVER_DATABASE_URL", url)
    with pytest.raises(ImproperlyConfigured, match="^MLX_SERVER_DATABASE_URL: ") as refused:
        config.config.__wrapped__()
    assert said in str(refused.value) and SECRET not in str(refused.value)


def test_the_password_is_in_no_text_of_the_settings() -> None:
    found = config.Config(database_url=f"postgresql://a:{SECRET}@b/c")
    assert SECRET not in f"{found!r}{found}{found.model_dump()}{found.model_dump_json()}"


def test_without_the_extra_the_way_to_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(database_setting, "import_module", missing)
    with pytest.raises(ValueError, match=r"pip install .*\[postgres\]"):
        of_address("postgresql://a/b")
