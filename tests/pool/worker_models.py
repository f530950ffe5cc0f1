"""Real workers with a tiny real model, and how to ask them."""

from contextlib import aclosing
from pathlib import Path

from inference.core.events import Event
from inference.core.protocol import Load
from inference.core.requests import ChatRequest, Message, Request, Sampling, TokenRules
from inference.pool import ProcessRunner
from tests.fakes import card

OPTIONS = Load(model="", path="", max_batch=8, prefill_step=64)


def chat(content: str = "hi", **fields: object) -> ChatRequest:
    fields = {"max_tokens": 12, "sampling": Sampling(temperature=0)} | fields
    return ChatRequest(model="tiny", messages=(Message(role="user", content=content),), **fields)  # type: ignore[arg-type]


def endless_chat(content: str = "hi", **fields: object) -> ChatRequest:
    """Return a chat whose answer takes seconds: a tiny model ends most of its own after milliseconds."""
    return chat(content, max_tokens=4000, rules=TokenRules(min_tokens=4000), **fields)


async def ask(runner: ProcessRunner, request: Request) -> list[Event]:
    async with aclosing(runner.submit(request)) as events:
        return [event async for event in events]


async def started(folder: Path, *, stuck_after_s: float = 120) -> ProcessRunner:
    runner = ProcessRunner(OPTIONS, stuck_after_s=stuck_after_s)
    await runner.load(card(path=str(folder)), lambda progress: None)
    return runner
