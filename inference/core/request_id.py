"""The id under which a client, the server and its log know one request."""

import re
import secrets
from contextvars import ContextVar

_CURRENT: ContextVar[str] = ContextVar("request_id", default="")
_USABLE = re.compile(r"[\w.:/+=-]{1,128}", re.ASCII)


def begin(sent: str = "") -> str:
    """The id of the request that begins in this context: the client's own where it can be used."""
    made = sent if _USABLE.fullmatch(sent) else f"req_{secrets.token_hex(12)}"
    _CURRENT.set(made)
    return made


def current() -> str:
    """The id of the request that is served in this context; empty outside one."""
    return _CURRENT.get()
