"""One response on its way: what it is asked, and how it is answered whole or as a stream."""

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import msgspec
from django.db import transaction

from inference.accounts.storage_quota import STORAGE
from inference.api.http import errors, keep_alive, sse
from inference.api.http.event_feed import EventFeed
from inference.api.openai.responses import conversation, input_items, response_fields
from inference.api.openai.responses.context_window import ContextWindow
from inference.api.openai.responses.conversation_locks import LOCKS, Hold
from inference.api.openai.responses.output_items import StreamEvent
from inference.api.openai.responses.response_events import OnAccepted, ResponseEvents
from inference.api.openai.responses.response_writer import ResponsesWriter
from inference.api.openai.responses.trace import NumberedEvents, Trace
from inference.api.openai.schemas import ResponseBody
from inference.core.errors import InternalError
from inference.core.events import Accepted, Event, Finished
from inference.core.principal import Principal
from inference.core.requests import ChatRequest
from inference.serving import generation
from inference.storage.conversation_store import Conversations
from inference.storage.database_threads import in_database
from inference.storage.item_references import find_items
from inference.storage.response_store import Stored

_WHOLE = ("completed", "incomplete")
_releasing: set[asyncio.Task[None]] = set()


class ResponseRun:
    """One response of an owner, and where it will be kept. `prepare` it first.

    `recent` are conversations that go on though they may not be stored, by the ids of their last responses.
    `hold` keeps others out of its conversation until `release`, which its end calls.
    """

    def __init__(
        self, owner: str, body: ResponseBody, recent: Mapping[str, list[dict[str, Any]]] | None = None
    ) -> None:
        self.id = f"resp_{secrets.token_hex(24)}"
        self.writer = ResponsesWriter(
            response_fields.begun(self.id, body),
            body.offered.by_flat_name,
            seals_reasoning=body.seals_reasoning,
            summarises=body.summarises,
        )
        self.numbered = NumberedEvents()
        self.field_names: Mapping[str, str] = body.own_names
        self._owner = owner
        self._stored = Stored(owner)
        self._conversations = Conversations(owner)
        self._body = body
        self._recent = recent or {}
        self._before: list[dict[str, Any]] = []
        self._input: list[dict[str, Any]] = []
        self._hold: Hold | None = None

    async def hold(self) -> None:
        """Raises ConversationLocked where another response is being made in the conversation."""
        if self._body.conversation_id:
            self._hold = await LOCKS.hold(self._owner, self._body.conversation_id)

    async def release(self) -> None:
        """Let others into its conversation; more than one call does nothing more."""
        if self._hold:
            await self._hold.release()

    def release_soon(self) -> None:
        """The same, for callers that cannot wait."""
        if self._hold:
            task = asyncio.create_task(self._hold.release())
            _releasing.add(task)
            task.add_done_callback(_releasing.discard)

    async def prepare(self) -> ChatRequest:
        """The chat to ask the model; raises NotFound where a stored response or item is not there."""
        found, before = await self._looked_up()
        made = conversation.conversation(before, self._body, found)
        self._before = before
        self._input = input_items.kept(input_items.items_of(self._body), found)
        self.field_names = {**self._body.own_names, **made.fields}
        return self._body.request(made.messages)

    async def check_quota(self, account: str) -> None:
        """Raise StorageQuotaExceeded or StorageFull where it may not be stored as asked; `prepare` first."""
        if self._body.is_stored or self._body.conversation_id:
            adding = len(msgspec.json.encode(self._input))
            await in_database(lambda: STORAGE.check(account, adding))

    async def _looked_up(self) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
        """The stored items that are referred to, and the conversation that goes on."""
        body = self._body
        previous, conversation_id = body.previous_response_id, body.conversation_id
        wanted = input_items.references(input_items.items_of(body))
        found: dict[str, dict[str, Any]] = {}
        before: list[dict[str, Any]] = []
        if wanted:
            found = await in_database(lambda: find_items(self._owner, wanted))
        if previous and previous in self._recent:
            before = self._recent[previous]
        elif previous:
            before = await in_database(lambda: self._stored.conversation(previous))
        if conversation_id:
            before = await in_database(lambda: self._conversations.items(conversation_id, "conversation"))
        return found, before

    def events(self, chat_request: ChatRequest, principal: Principal) -> AsyncGenerator[Event]:
        """The events of its answer, of a compacted conversation where that is asked for and due."""
        if not self._body.context_management:
            return generation.stream(chat_request, principal, self.id)
        window = ContextWindow(self._body.compact_threshold, instructions=int(bool(self._body.instructions)))
        return window.stream(chat_request, principal, self.id)

    async def whole(self, events: AsyncGenerator[Event], on_accepted: OnAccepted) -> dict[str, Any]:
        is_finished = False
        accepted: Accepted | None = None  # the last one: what was compacted is accepted again
        async with aclosing(events):
            async for event in events:
                accepted = event if isinstance(event, Accepted) else accepted
                deque(self.writer.note(event), maxlen=0)
                is_finished = isinstance(event, Finished)
        if accepted:
            on_accepted(accepted)
        if not is_finished:
            raise InternalError("The answer was cut off; please try again.")
        await self.keep()
        await self.release()
        return self.writer.whole

    async def stream(self, feed: EventFeed, on_accepted: OnAccepted) -> AsyncGenerator[bytes]:
        """Begin the response as events and [DONE]; raises a refusal of the first seconds."""
        return self._frames(await self.batches(feed, on_accepted))

    async def _frames(self, batches: AsyncGenerator[list[StreamEvent]]) -> AsyncGenerator[bytes]:
        async with aclosing(batches):
            async for batch in batches:
                yield self.numbered.framed(batch)
        yield sse.DONE

    async def batches(
        self, feed: EventFeed, on_accepted: OnAccepted = bool
    ) -> AsyncGenerator[list[StreamEvent]]:
        """Begin the response as batches of events; number those of a batch before the next one.

        `response.failed` is the last event where something broke.
        """
        events = ResponseEvents(self.writer, self.numbered, on_accepted)
        return self._until_kept(await keep_alive.stream(events, feed))

    async def _until_kept(
        self, batches: AsyncGenerator[list[StreamEvent]]
    ) -> AsyncGenerator[list[StreamEvent]]:
        async with aclosing(batches):
            try:
                async for batch in batches:
                    yield batch
                await self.keep()
                last = self.writer.end()
            except Exception as error:  # the boundary: whatever broke, the stream reports it
                last = self.writer.fail(errors.explain(error))
            finally:  # before its last event: the next request may follow at once
                await self.release()
            yield [last]

    @property
    def items(self) -> list[dict[str, Any]]:
        """All items of the conversation, those of the answer as well."""
        return [*self._before, *self._input, *self.writer.whole["output"]]

    async def keep(self, trace: Trace | None = None) -> None:
        """Store the response as it is now, and add it to its conversation once it is whole."""
        whole = self.writer.whole
        made: Trace = {"pieces": self.writer.pieces, "beats": self.numbered.beats, **(trace or {})}
        if self._body.is_stored or self._body.conversation_id:
            await in_database(lambda: self._keep(whole, made))

    @transaction.atomic
    def _keep(self, whole: dict[str, Any], made: Trace) -> None:
        if self._body.is_stored:
            self._stored.keep(whole, self._input, made)
        if self._body.conversation_id and whole["status"] in _WHOLE:
            items = [*self._input, *whole["output"]]
            self._conversations.add(self._body.conversation_id, items, param="conversation")
