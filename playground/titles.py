"""Titles, written by the model in the background after the first answer; every other request goes first."""

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
_INSTRUCTIONS = (
    "Write a title of at most six words for a conversation that begins with the question below. "
    "Answer with the title alone.\n\n"
)
_LONGEST_QUESTION = 1000
_MAX_TOKENS = 24
_QUOTES = "\"'“”„*#` .\n"


class Titles:
    """Generates at most one title at a time; a new question cancels it."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def start(self, conversation: UUID, principal: Principal, model: str, question: str) -> None:
        """Start a title for a conversation with its first answer, unless another title is in progress."""
        if settings.CONFIG.titles and not self._task:
            self._task = asyncio.create_task(self._generate(conversation, principal, model, question))
            self._task.add_done_callback(self._forget)

    def cancel(self) -> None:
        if self._task:
            self._task.cancel()

    async def join(self) -> None:
        if self._task:
            await asyncio.wait([self._task])

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._task = None

    async def _generate(self, conversation: UUID, principal: Principal, model: str, question: str) -> None:
        prompt = _INSTRUCTIONS + question[:_LONGEST_QUESTION]
        request = ChatRequest(
            model=model,
            messages=(Message(role="user", content=prompt),),
            sampling=Sampling(temperature=0),
            max_tokens=_MAX_TOKENS,
            stop=("\n",),
            thinking=False,  # reasoning would use up the few tokens
        )
        try:
            title = await _generated_text(request, principal)
        except ServerError as error:
            logger.info("No title was generated: %s", error.message)
            return
        if title := title.strip(_QUOTES):
            await in_database(lambda: retitle(conversation, title_of(question), title_of(title)))


async def _generated_text(request: ChatRequest, principal: Principal) -> str:
    """The generated text; empty as soon as another request needs the pool."""
    text = ""
    async with aclosing(generation.stream(request, principal)) as events:
        async for event in events:
            if _is_pool_wanted():
                return ""
            text += event.text if isinstance(event, TextDelta) else ""
    return text


def _is_pool_wanted() -> bool:
    """Whether another request is waiting or running."""
    snapshot = runtime.pool().snapshot()
    return snapshot.waiting > 0 or sum(one.leases for one in snapshot.models) > 1


TITLES = Titles()
