"""The setting of a database on a PostgreSQL server, in the place of the file in the data folder."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

from inference.core.installation import INSTALLATION

_SCHEMES = ("postgresql://", "postgres://")
_EXAMPLE = "postgresql://mlxsite:PASSWORD@127.0.0.1:5432/mlxsite"
_MALFORMED = (
    f"write it as {_EXAMPLE}; in a name or password, %40 stands for an @, %3A for a colon, %2F for a slash "
    "and %25 for a percent sign"
)
_DJANGO_NAMES = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
# What an address may leave open. Without these, a server that is gone would be waited for without end; locks
# are waited for as long as SQLite's.
_DEFAULTS = {
    "application_name": "mlxsite",
    "connect_timeout": "5",
    "keepalives_idle": "30",
    "tcp_user_timeout": "20000",
    "options": "-c timezone=UTC -c lock_timeout=20s",
}


class DatabaseSettings(BaseSettings):
    """Where the database is."""

    database_url: SecretStr | None = Field(
        None, description="URL of a PostgreSQL database (needs the extra `postgres`); none uses SQLite."
    )

    @field_validator("database_url")
    @classmethod
    def _is_a_database(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            of_address(value.get_secret_value())
        return value


def of_address(url: str) -> dict[str, Any]:
    """Django's settings of the PostgreSQL database at `url`; ValueError for what is no such address.

    The error never quotes the address, which may have a password.
    """
    if not url.startswith(_SCHEMES):
        raise ValueError(f"it is not the URL of a PostgreSQL database: {_MALFORMED}")
    parsed = dict(_parsed(url))
    own = {name: str(parsed.pop(key, "")) for name, key in _DJANGO_NAMES.items()}
    # An unescaped character in a password would make it a part of these, which errors show.
    if any("@" in own[name] for name in ("NAME", "HOST")) or not _is_port(own["PORT"]):
        raise ValueError(f"it cannot be read: {_MALFORMED}")
    if not own["NAME"]:
        raise ValueError("it names no database: end it with a slash and the name of one")
    return {"ENGINE": "inference.storage.postgresql", **own, "OPTIONS": {**_DEFAULTS, **parsed}}


def _parsed(url: str) -> Mapping[str, Any]:
    """The parts of an address, as PostgreSQL's own library reads it."""
    try:
        psycopg, conninfo = import_module("psycopg"), import_module("psycopg.conninfo")
    except ImportError:
        raise ValueError(f"it needs an optional part: {INSTALLATION.install_extra('postgres')}") from None
    try:
        parsed: Mapping[str, Any] = conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        raise ValueError(f"it cannot be read: {_MALFORMED}") from None
    return parsed


def _is_port(text: str) -> bool:
    """Whether it is a number, or one for each host by commas, or not given."""
    return not text.replace(",", "") or text.replace(",", "").isdigit()
