"""Asking /api the way an operator's script does."""

import json
from typing import Any

from django.test import AsyncClient

ACTIONS = ("load", "preview", "unload", "pin", "unpin")


async def act(action: str, body: Any = None, *, client: AsyncClient | None = None, **headers: str) -> Any:
    """POST to one of the actions, about the model tiny unless the body says otherwise."""
    return await (client or AsyncClient()).post(
        f"/api/models/{action}",
        json.dumps({"model": "tiny"} if body is None else body),
        content_type="application/json",
        headers=headers,
    )


async def look(client: AsyncClient | None = None, **headers: str) -> Any:
    return await (client or AsyncClient()).get("/api/pool", headers=headers)
