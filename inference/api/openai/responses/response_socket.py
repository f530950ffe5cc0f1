"""/v1/responses as a websocket: one response after the other over one connection.

Each message of a client is the body of POST /v1/responses with the type `response.create`; the events of its
stream come back as messages, without [DONE]. The last response of a connection can go on with `store: false`.
https://platform.openai.com/docs/guides/websocket-mode
"""

import asyncio
import contextlib
import io
from collections import Counter
from contextlib import aclosing
from typing import Any

import msgspec
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.handlers.asgi import ASGIRequest

from inference.api.http import dialects, errors, field_names, strict_json
from inference.api.http.auth import Caller
from inference.api.http.event_feed import EventFeed
from inference.api.openai.responses.response_run import ResponseRun
from inference.api.openai.schemas import ResponseBody
from inference.core.errors import BodyTooLarge, InvalidValue, QueueFull, ServerError, UnsupportedField
from inference.core.principal import Principal

MOST_SOCKETS = 64  # of one principal
MOST_WAITING = 16  # messages that came while a response was made
_BUSY_RETRY_S = 5.0
REFUSED, TALKATIVE = 1008, 1013
_KIND = "response.create"
_open: Counter[str] = Counter()


class ResponseSocket(AsyncWebsocketConsumer):
    """One connection: its messages are answered in turn. The caller is identified again for each."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._owner = ""
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self._owner:
                _open[self._owner] -= 1

    async def connect(self) -> None:
        self._messages: asyncio.Queue[bytes] = asyncio.Queue(MOST_WAITING)
        self._recent: dict[str, list[dict[str, Any]]] = {}
        self._task: asyncio.Task[None] | None = None
        await self.accept()  # also where it is refused: the reason is a message
        try:
            owner = (await self._caller()).owner
            if _open[owner] >= MOST_SOCKETS:
                raise QueueFull(
                    f"You have {MOST_SOCKETS} connections already; close one.", retry_after=_BUSY_RETRY_S
                )
        except Exception as error:  # the boundary: a client gets an error in any case
            await self._send_error(errors.explain(error))
            await self.close(REFUSED)
            return
        self._owner = owner
        _open[owner] += 1
        self._task = asyncio.create_task(self._answer_all())

    async def disconnect(self, code: int) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **_: Any) -> None:
        message = text_data.encode() if text_data is not None else bytes_data or b""
        try:
            self._messages.put_nowait(message)
        except asyncio.QueueFull:
            await self.close(TALKATIVE)

    async def _caller(self) -> Principal:
        """Who sends, as a request with the headers of the connection; raises AuthenticationFailed."""
        request = ASGIRequest({**self.scope, "type": "http", "method": "GET"}, io.BytesIO())
        request.auser = _nobody
        return await Caller("chat")(request)

    async def _answer_all(self) -> None:
        while True:
            message = await self._messages.get()
            previous = ""
            try:
                body = _read(message)
                previous = body.previous_response_id or ""
                await self._answer(body)
            except Exception as error:  # the boundary: whatever broke, the connection goes on
                self._recent.pop(previous, None)
                await self._send_error(errors.explain(error))

    async def _answer(self, body: ResponseBody) -> None:
        principal = await self._caller()
        run = ResponseRun(principal.owner, body, self._recent)
        await run.hold()
        try:
            with field_names.in_names_of(body.own_names):
                chat_request = await run.prepare()
                await run.check_quota(principal.account)
            feed = EventFeed(run.events(chat_request, principal), run.field_names)
            async with aclosing(await run.batches(feed)) as batches:
                async for batch in batches:
                    for kind, fields in batch:
                        await self.send(run.numbered.encoded(kind, fields).decode())
        finally:
            await run.release()
        failed = run.writer.whole["status"] == "failed"
        self._recent = {} if failed else {run.id: run.items}

    async def _send_error(self, error: ServerError) -> None:
        fields = {"type": error.type, "code": error.code, "message": error.message, "param": error.param}
        event = {"type": "error", "status": error.status, "error": fields}
        await self.send(msgspec.json.encode(event).decode())


async def _nobody() -> AnonymousUser:
    """A session counts for the site's own pages, which speak HTTP."""
    return AnonymousUser()


def _read(message: bytes) -> ResponseBody:
    """The body in a message; raises a ServerError."""
    if len(message) > dialects.body_limit("/v1/responses"):
        raise BodyTooLarge(errors.BODY_TOO_LARGE)
    fields = strict_json.load_object(message)
    kind = fields.pop("type", None)
    if kind != _KIND:
        raise InvalidValue(f"'type' is not valid: it must be {_KIND!r}.", param="type")
    if fields.get("background"):
        raise UnsupportedField("'background' is not supported over a websocket.", param="background")
    fields["stream"] = True  # a connection has nothing but events
    notes_unknown = settings.CONFIG.unknown_fields == "note"
    return strict_json.check(fields, ResponseBody, notes_unknown=notes_unknown, size=len(message))
