"""The setting for the Redis that several processes of one site share."""

from importlib.util import find_spec
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

from inference.core import addresses
from inference.core.installation import INSTALLATION

_LIBRARY = "channels_redis"
_FORMS = "redis://127.0.0.1:6379/0, rediss://NAME:PASSWORD@HOST or unix:///run/redis/redis.sock"


class RedisSettings(BaseSettings):
    """Where the fronts of a site keep what they share beside the database."""

    redis_url: SecretStr | None = Field(
        None,
        description="URL of the Redis that the fronts of this site share, such as `redis://127.0.0.1:6379/0`.",
    )

    @field_validator("redis_url")
    @classmethod
    def _is_a_redis(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        _check(value.get_secret_value())
        if find_spec(_LIBRARY) is None:
            raise ValueError(f"it needs an optional part: {INSTALLATION.install_extra('redis')}")
        return value

    @property
    def redis_address(self) -> str:
        """The address of the Redis without user, password and options; empty without one."""
        return shown(self.redis_url.get_secret_value()) if self.redis_url else ""

    @property
    def is_redis_private(self) -> bool:
        """Whether nobody between here and the Redis can read along: this machine alone, or TLS."""
        parts = urlsplit(self.redis_url.get_secret_value()) if self.redis_url else SplitResult(*[""] * 5)
        return parts.scheme in {"unix", "rediss"} or addresses.is_loopback(parts.hostname or "")


def shown(url: str) -> str:
    """The address as messages may show it: without user, password and options."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{place}{parts.path}"


def _check(url: str) -> None:
    """Raise ValueError, without the value itself, for what is no address of a Redis."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(f"it is not a URL; give one such as {_FORMS}") from None
    if url != url.strip() or not url.isprintable() or parts.scheme not in {"redis", "rediss", "unix"}:
        raise ValueError(f"it is not the URL of a Redis; give one such as {_FORMS}")
    if parts.scheme == "unix":
        if not parts.path.startswith("/") or parts.path == "/":
            raise ValueError("it has no socket path; give one such as unix:///run/redis/redis.sock")
        return
    if not parts.hostname or port == 0:
        raise ValueError(f"it has no host or a wrong port; give one such as {_FORMS}")
    if not parts.path.strip("/").isdecimal() and parts.path not in {"", "/"}:
        raise ValueError("what follows the host must be the number of a database, such as /0")
