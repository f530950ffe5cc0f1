"""Titles, written by the model in the background after the first answer; every other request goes first.

A title that has to stop for another request is written later, when the pool has nothing else to do.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import UUID

from django.conf import settings
from msgspec import Struct

from inference.core.errors import ServerError
from inference.core.events import Ended, Event, TextDelta
from inference.core.principal import Principal
from inference.core.requests import ChatRequest, Message, Sampling
from inference.serving import generation, runtime
from inference.storage.database_threads import in_database
from playground.changes import CHANGES
from playground.changes import title as title_change
from playground.store import retitle
from playground.title_text import plain_title, title_of

logger = logging.getLogger(__name__)
_INSTRUCTIONS = (
    "Write a title of at most six words for a conversation that begins with the question below. "
    "Answer with the title alone.\n\n"
)
_LONGEST_QUESTION = 1000
_MAX_TOKENS = 24
_MOST_WAITING = 100  # conversations; the oldest of more keeps the beginning of its question as its title
_IDLE_CHECK_S = 0.25


class _Untitled(Struct, frozen=True):
    """A conversation that waits for its title."""

    principal: Principal
    model: str
    question: str


class Titles:
    """Generates one title at a time; a new question interrupts it, and the title is generated again later."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[UUID, _Untitled] = OrderedDict()
        self._task: asyncio.Task[None] | None = None
        self._generating: asyncio.Task[str | None] | None = None

    def start(self, conversation: UUID, principal: Principal, model: str, question: str) -> None:
        """Have a title generated for a conversation with its first answer."""
        if not settings.CONFIG.titles:
            return
        self._waiting[conversation] = _Untitled(principal, model, question)
        while len(self._waiting) > _MOST_WAITING:
            self._waiting.popitem(last=False)
        if not self._task:
            self._task = asyncio.create_task(self._generate_all())
            self._task.add_done_callback(self._forget)

    def interrupt(self) -> None:
        """Give way to a request that is about to come."""
        if self._generating:
            self._generating.cancel()

    async def join(self) -> None:
        if self._task:
            await asyncio.wait([self._task])

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled() and (error := task.exception()):
            logger.error("No more titles are generated for now", exc_info=error)

    async def _generate_all(self) -> None:
        """Generate the titles that wait, the newest first; an interrupted one waits on.

        No model is loaded for a title. Those of models that are not in memory wait for the next `start`.
        """
        while ready := [item for item in self._waiting.items() if _is_in_memory(item[1].model)]:
            conversation, untitled = ready[-1]
            if _is_pool_busy(own=0):
                await asyncio.sleep(_IDLE_CHECK_S)
                continue
            self._generating = asyncio.create_task(_generated_title(untitled))
            await asyncio.wait([self._generating])
            title = None if self._generating.cancelled() else self._generating.result()
            self._generating = None
            if title is None:
                await asyncio.sleep(_IDLE_CHECK_S)
                continue
            self._waiting.pop(conversation, None)
            if title:
                await _store(conversation, untitled, title)


async def _store(conversation: UUID, untitled: _Untitled, title: str) -> None:
    """Store it, unless the owner has changed the title, and show it in the owner's windows."""
    try:
        is_stored = await in_database(lambda: retitle(conversation, title_of(untitled.question), title))
    except Exception:  # the boundary of this background task: the conversation keeps its first title
        logger.exception("A title could not be stored")
        return
    if is_stored:
        CHANGES.publish_everywhere(untitled.principal.owner, title_change(conversation, title))


async def _generated_title(untitled: _Untitled) -> str | None:
    """The title; empty where the model writes none, None as soon as another request needs the pool."""
    request = ChatRequest(
        model=untitled.model,
        messages=(Message(role="user", content=_INSTRUCTIONS + untitled.question[:_LONGEST_QUESTION]),),
        sampling=Sampling(temperature=0),
        max_tokens=_MAX_TOKENS,
        thinking=False,  # reasoning would use up the few tokens
    )
    try:
        async with aclosing(generation.stream(request, untitled.principal, kind="title")) as events:
            return await _title_in(events)
    except ServerError as error:
        logger.info("No title was generated: %s", error.message)
        return ""
    except Exception:  # the boundary of this background task
        logger.exception("No title was generated")
        return ""


async def _title_in(events: AsyncGenerator[Event]) -> str | None:
    """The title that an answer begins with; None as soon as another request needs the pool."""
    text = ""
    async for event in events:
        if _is_pool_busy(own=1):
            return None
        if isinstance(event, Ended) and event.reason == "length":
            text = _without_last_word(text)
        if not isinstance(event, TextDelta):
            continue
        text += event.text
        if "\n" in event.text and (title := plain_title(text.rpartition("\n")[0])):
            return title  # what follows a line with a title is an explanation
    return plain_title(text)


def _without_last_word(text: str) -> str:
    """Text that ended at the limit of tokens, without the word that may be incomplete."""
    return text.rstrip().rpartition(" ")[0] or text


def _is_in_memory(model: str) -> bool:
    """Whether this model, or the one whose LoRA adapter it is, can answer now."""
    resident = (one.id for one in runtime.pool().snapshot().models if one.state.is_in_memory)
    return any(model == name or model.startswith(f"{name}:") for name in resident)


def _is_pool_busy(own: int) -> bool:
    """Whether requests beside `own` are waiting or running."""
    snapshot = runtime.pool().snapshot()
    return snapshot.waiting > 0 or sum(one.leases for one in snapshot.models) > own


TITLES = Titles()
