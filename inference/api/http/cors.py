"""Cross-origin requests of the pages that MLX_SERVER_ALLOWED_ORIGINS names (https://fetch.spec.whatwg.org).

Such a page reaches the dialects alone, and never with a visitor's cookies: what it asks is asked by whoever
holds its key, or by anybody on an open site.
"""

from collections.abc import Collection, Mapping

from inference.api.http import origin
from inference.api.http.dialects import is_dialect

Headers = list[tuple[bytes, bytes]]
_METHODS = b"GET, HEAD, POST, DELETE, OPTIONS"
_EXPOSED = b"*"  # of a response without credentials: every header
_MAX_AGE_S = b"600"
_USUAL_HEADERS = "authorization, content-type, x-api-key, x-request-id"


def is_allowed(path: str, sent: Collection[str], allowed: Collection[str]) -> bool:
    """Whether a request with these Origin headers is one of an allowed page to a dialect."""
    return len(sent) == 1 and is_dialect(path) and origin.is_allowed(next(iter(sent)), allowed)


def is_preflight(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a browser asks before it sends the request itself."""
    return method == "OPTIONS" and "access-control-request-method" in headers


def answer_headers(sent: str) -> Headers:
    """The headers by which a browser shows an answer to the page; there are none for credentials."""
    return [
        (b"access-control-allow-origin", sent.encode("latin-1", "replace")),
        (b"access-control-expose-headers", _EXPOSED),
        (b"cross-origin-resource-policy", b"cross-origin"),
        (b"vary", b"Origin"),
    ]


def preflight_headers(sent: str, headers: Mapping[str, str]) -> Headers:
    """The answer to a preflight: every method that there is, and the headers that the page wants to send."""
    wanted = headers.get("access-control-request-headers", _USUAL_HEADERS)
    made = [
        *answer_headers(sent),
        (b"access-control-allow-methods", _METHODS),
        (b"access-control-allow-headers", wanted.encode("latin-1", "replace")),
        (b"access-control-max-age", _MAX_AGE_S),
    ]
    if headers.get("access-control-request-private-network") == "true":
        made.append((b"access-control-allow-private-network", b"true"))
    return made
