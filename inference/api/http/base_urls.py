"""Requests of clients whose base URL is wrong: `/v1` missing or doubled, another API's, a slash too many."""

import re
from collections.abc import Iterator

from django.conf import settings
from django.urls import Resolver404, resolve

_MOST_BEFORE = 4


def meant_path(path: str) -> str | None:
    """The path that a client with the right base URL would have asked for, if there is one."""
    return next((found for found in _candidates(path) if found != path and _is_endpoint(found)), None)


def is_base(path: str) -> bool:
    """Whether the path is a base URL itself, to which a client adds that of an endpoint."""
    return path.rstrip("/") in {"/v1", settings.CONFIG.ollama or "/v1"}


def _candidates(path: str) -> Iterator[str]:
    ollama = settings.CONFIG.ollama
    tidy = re.sub("^/V1/", "/v1/", re.sub("/+", "/", path)).rstrip("/")
    yield from (tidy, f"/v1{tidy}", tidy.removeprefix("/v1"))
    if ollama:
        yield from (f"{ollama}{tidy}", f"/v1{tidy.removeprefix(ollama)}")
        yield f"{ollama}{tidy.removeprefix('/v1')}"
    # What other servers have before it: /openai/v1, /anthropic, /openai/deployments/NAME.
    for _ in range(min(tidy.count("/") - 1, _MOST_BEFORE)):
        tidy = f"/{tidy.split('/', 2)[2]}"
        yield from (tidy, f"/v1{tidy}")


def _is_endpoint(path: str) -> bool:
    try:
        found = resolve(path)
    except Resolver404:
        return False
    return found.url_name != "api-root" and bool(set(found.namespaces) & {"openai", "ollama"})
