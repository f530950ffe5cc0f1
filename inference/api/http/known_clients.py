"""Clients that are known to send fields of their own: these never stop one of their requests."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

# Beginnings and parts of User-Agent, in lower case, as these programs send it.
_AGENTS = (
    "ai-sdk/",
    "aider",
    "anythingllm",
    "claude-cli",
    "claude-code",
    "cline",
    "codex",
    "continue",
    "copilot",
    "crush",
    "goose",
    "guidellm",
    "kilo",
    "kimi",
    "librechat",
    "litellm",
    "n8n",
    "obsidian",
    "ollama",
    "open webui",
    "openclaw",
    "opencode",
    "openhands",
    "openwebui",
    "pydantic-ai",
    "qwen-code",
    "qwencode",
    "roo",
    "vscode",
    "zed/",
)
_HEADERS = ("originator", "x-codex-turn-metadata", "x-openwebui-user-id", "copilot-integration-id")
_FIELDS = frozenset({"client_metadata", "copilot_cache_control"})


def is_known(request: HttpRequest, fields: Mapping[str, Any]) -> bool:
    """Whether the request carries the mark of such a client, in a header or in its body."""
    agent = request.headers.get("User-Agent", "").lower()
    is_named = any(mark in agent for mark in _AGENTS)
    return is_named or any(name in request.headers for name in _HEADERS) or bool(_FIELDS & fields.keys())
