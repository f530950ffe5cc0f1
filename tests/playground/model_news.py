"""The list of models that a page is shown, in the hands of a test: as the site has it, or changed."""

import asyncio
import json
import re
from typing import Any

from playwright.async_api import Page, WebSocketRoute


class ModelNews:
    """Replaces the messages of the page's websocket about models."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._socket: WebSocketRoute | None = None
        self._message: dict[str, Any] = {}

    async def take_over(self) -> None:
        """From now on, and after a reload, the page is told by `tell` alone, and first what the site has."""
        text = await self._page.locator("#page").text_content() or ""
        self._message = {"type": "models", "kept_until": 0, "unavailable": []}
        self._message["models"] = json.loads(text)["models"]
        await self._page.route_web_socket(re.compile("/ws/models/"), self._hold)
        await self._page.reload()
        async with asyncio.timeout(20):
            while self._socket is None:
                await asyncio.sleep(0.02)

    def _hold(self, socket: WebSocketRoute) -> None:
        self._socket = socket
        socket.send(json.dumps(self._message))

    @property
    def models(self) -> list[dict[str, Any]]:
        return [dict(model) for model in self._message["models"]]

    def tell(self, models: list[dict[str, Any]], unavailable: dict[str, str] | None = None) -> None:
        """Tell the page of these models, and of others that cannot be used with their reasons."""
        problems = [{"id": name, "reason": reason} for name, reason in (unavailable or {}).items()]
        self._message |= {"models": models, "unavailable": problems}
        assert self._socket
        self._socket.send(json.dumps(self._message))

    def serve(self, *ids: str) -> None:
        """Tell the page of these models of the site alone."""
        self.tell([model for model in self.models if model["id"] in ids])
