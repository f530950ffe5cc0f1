"""Requests of clients whose base URL is wrong: `/v1` missing or doubled, or another API's."""

from django.conf import settings
from django.urls import Resolver404, resolve


def meant_path(path: str) -> str | None:
    """The path that a client with the right base URL would have asked for, if there is one."""
    ollama = settings.CONFIG.ollama
    candidates = [f"/v1{path}", path.removeprefix("/v1")]
    if ollama:
        candidates += [
            f"{ollama}{path}",
            f"/v1{path.removeprefix(ollama)}",
            f"{ollama}{path.removeprefix('/v1')}",
        ]
    return next((found for found in candidates if _is_endpoint(found) and found != path), None)


def _is_endpoint(path: str) -> bool:
    try:
        found = resolve(path)
    except Resolver404:
        return False
    return found.url_name != "api-root" and bool(set(found.namespaces) & {"openai", "ollama"})
