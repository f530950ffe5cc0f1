"""Titles in the background: the model is asked once it has answered first, and gives way to every chat."""

import asyncio
import logging
from contextlib import aclosing
from uuid import UUID

from django.conf import settings

from inference.core.errors import ServerError
from inference.core.events import TextDelta
from inference.core.principal import Principal
from inference.core.requests import ChatRequest, Message, Sampling
from inference.serving import generation, runtime
from inference.storage.database_threads import in_database
from playground.store import retitle, title_of

logger = logging.getLogger(__name__)
_ASKED = (
    "Write a title of at most six words for a conversation that begins with the question below. "
    "Answer with the title alone.\n\n"
)
_LONGEST_QUESTION = 1000
_TOKENS = 24
_QUOTES = "\"'“”„*#` .\n"


class Titles:
    """At most one title is being thought of; whoever chats ends that."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def begin(self, conversation: UUID, principal: Principal, model: str, question: str) -> None:
        """Think of a title for a conversation that has its first answer now."""
        if settings.CONFIG.titles and not self._task:
            self._task = asyncio.create_task(self._think(conversation, principal, model, question))
            self._task.add_done_callback(self._forget)

    def cancel(self) -> None:
        if self._task:
            self._task.cancel()

    async def join(self) -> None:
        if self._task:
            await asyncio.wait([self._task])

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._task = None

    async def _think(self, conversation: UUID, principal: Principal, model: str, question: str) -> None:
        words = _ASKED + question[:_LONGEST_QUESTION]
        request = ChatRequest(
            model=model,
            messages=(Message(role="user", content=words),),
            sampling=Sampling(temperature=0),
            max_tokens=_TOKENS,
            stop=("\n",),
            thinking=False,  # its few tokens would go by before the title
        )
        try:
            title = await _said(request, principal)
        except ServerError as error:
            logger.info("No title was thought of: %s", error.message)
            return
        if title := title.strip(_QUOTES):
            await in_database(lambda: retitle(conversation, title_of(question), title_of(title)))


async def _said(request: ChatRequest, principal: Principal) -> str:
    """The answer's text; empty once anybody else wants the pool."""
    said = ""
    async with aclosing(generation.stream(request, principal)) as events:
        async for event in events:
            if _is_wanted():
                return ""
            said += event.text if isinstance(event, TextDelta) else ""
    return said


def _is_wanted() -> bool:
    """Whether somebody else waits, or is being answered."""
    snapshot = runtime.pool().snapshot()
    return snapshot.waiting > 0 or sum(one.leases for one in snapshot.models) > 1


TITLES = Titles()
