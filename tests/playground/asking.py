"""Asking as the page does, without a browser."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from django.test import AsyncClient

from playground.running_answers import RUNNING_ANSWERS


class Page:
    """One visitor's page."""

    def __init__(self, client: AsyncClient) -> None:
        self.client = client

    async def send(self, method: str, address: str, body: Any = None, **options: Any) -> Any:
        text = "" if body is None else json.dumps(body)
        kind = {"content_type": "application/json", **options}
        ask = getattr(self.client, method.lower())
        return await (ask(address) if method == "GET" else ask(address, text, **kind))

    async def json(self, method: str, address: str, body: Any = None) -> Any:
        """The JSON of an answer that is no refusal."""
        response = await self.send(method, address, body)
        assert response.status_code == 200, response.content
        return json.loads(response.content)

    async def ask(self, content: str | None = "Hi", **changes: Any) -> Any:
        body = {"content": content, "question": {"model": "tiny"}} | changes
        return await self.json("POST", "/chat/ask/", {k: v for k, v in body.items() if v is not None})

    async def answered(self, content: str | None = "Hi", **changes: Any) -> tuple[str, dict[str, Any]]:
        """The conversation's id, and the answer once it has ended."""
        asked = await self.ask(content, **changes)
        events = [event async for event in self.events(asked["messages"][-1]["id"])]
        assert events[-1]["type"] == "answer"
        return asked["conversation"], events[-1]["answer"]

    async def events(self, answer: int) -> AsyncIterator[dict[str, Any]]:
        response: Any = await self.client.get(f"/chat/messages/{answer}/events/")
        assert response.status_code == 200, response.content
        async for part in response.streaming_content:
            for line in part.decode().splitlines():
                if line.startswith("data: "):
                    yield json.loads(line[6:])

    async def heard(self, answer: int, expected: str) -> None:
        """Follow an answer until it has this text, and leave."""
        so_far = ""
        async for event in self.events(answer):
            so_far = (
                event["answer"]["content"] if event["type"] == "answer" else so_far + event.get("text", "")
            )
            if so_far == expected:
                return

    async def open(self, conversation: str) -> Any:
        return await self.json("GET", f"/chat/conversations/{conversation}/")


async def idle() -> None:
    """Wait until no answer is under way."""
    async with asyncio.timeout(10):
        while RUNNING_ANSWERS.count:
            await asyncio.sleep(0.01)
