"""Where a server listens, and how requests are sent there."""

import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit


class UnknownAddress(ValueError):
    """The text is no address of an OpenAI-compatible server."""


@dataclass(frozen=True)
class ServerAddress:
    """The address of an OpenAI-compatible API; `base` is the path before /chat/completions."""

    port: int
    host: str = "127.0.0.1"
    base: str = "/v1"
    key: str = ""
    is_secure: bool = False

    @classmethod
    def parse(cls, url: str, key: str = "") -> "ServerAddress":
        """The address in a URL such as http://127.0.0.1:8080/v1; raises UnknownAddress."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise UnknownAddress(f"{url!r} is no address: {error}.") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UnknownAddress(f"{url!r} is no address such as http://127.0.0.1:8080/v1.")
        is_secure = parts.scheme == "https"
        base = parts.path.rstrip("/").removesuffix("/chat/completions") or "/v1"
        return cls(port or (443 if is_secure else 80), parts.hostname, base, key, is_secure)

    @property
    def ssl_context(self) -> ssl.SSLContext | None:
        return ssl.create_default_context() if self.is_secure else None

    @property
    def headers(self) -> str:
        """The lines of a request's head that depend on the server."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        authorization = f"Authorization: Bearer {self.key}\r\n" if self.key else ""
        return f"Host: {host}:{self.port}\r\n{authorization}"


def address_of(where: "ServerAddress | int") -> ServerAddress:
    """An address, or a port on this machine as one."""
    return where if isinstance(where, ServerAddress) else ServerAddress(where)
