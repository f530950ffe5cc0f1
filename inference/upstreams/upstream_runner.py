"""UpstreamRunner: the Runner of a model that other servers answer for; it stands where a worker would."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

import httpx

from inference.core.errors import (
    InternalError,
    ServerError,
    UnsupportedField,
    UpstreamFailed,
    UpstreamUnreachable,
)
from inference.core.events import Accepted, Event
from inference.core.load_progress import OnLoadProgress
from inference.core.model_card import ModelCard
from inference.core.pool_state import DeathReason, Loaded, Memory, RankState
from inference.core.requests import ChatRequest, CompletionRequest, GenerationRequest, Request
from inference.core.upstream import Address, Route
from inference.upstreams import connection, request_body
from inference.upstreams.balancer import Balancer, prefix_of
from inference.upstreams.chunk_reader import ChunkReader
from inference.upstreams.engines import NEED_A_LIMIT
from inference.upstreams.event_lines import data_of
from inference.upstreams.health_checks import HealthChecks
from inference.upstreams.refusals import Unanswered
from inference.upstreams.token_estimate import longest_answer, prompt_tokens

RouteOf = Callable[[str], Route | None]


class UpstreamRunner:
    """Sends each request to one of the model's addresses.

    `route_of` returns that of a model as it is set up now, None once it is gone. An answer that is silent for
    `silence_s` fails; one has `most_tokens` at most, where that is not 0.
    """

    pid: int | None = None
    ranks: tuple[RankState, ...] = ()
    memory = Memory()
    device_bytes = 0
    is_late = False
    end_reason = ""
    death_reason: DeathReason = "unknown"

    def __init__(
        self, route_of: RouteOf, balancer: Balancer, *, silence_s: float, most_tokens: int = 0
    ) -> None:
        self._route_of = route_of
        self._balancer = balancer
        self._silence_s, self._most_tokens = silence_s, most_tokens
        self._client: httpx.AsyncClient | None = None
        self._checks: HealthChecks | None = None
        self._model = ""
        self._ended = asyncio.Event()

    async def warm_up(self) -> bool:
        """There is nothing to prepare."""
        return True

    async def load(self, card: ModelCard, on_progress: OnLoadProgress) -> Loaded:
        """Begin to check the health of the addresses; whether one answers is found out by each request."""
        self._model = card.id
        self._client = await asyncio.to_thread(connection.new_client, self._silence_s)
        self._checks = HealthChecks(self._client, lambda: self._addresses, self._balancer)
        return Loaded(
            seconds=0.0,
            memory=Memory(),
            context_length=card.context_length,
            vocab_size=0,
            device="",
            sees=card.sees,
        )

    async def submit(self, request: Request, owner: str = "") -> AsyncGenerator[Event]:
        """Run one request: Accepted first, Finished last; closing it closes the connection.

        Another address is tried only before the first byte of an answer. Raises UnsupportedField for what the
        other server does not follow, UpstreamUnreachable where none answers, UpstreamFailed where one breaks
        off, and what the other server refuses the request with.
        """
        if not isinstance(request, ChatRequest | CompletionRequest):
            raise UnsupportedField(
                "Another server answers for this model, and only its chats and completions are passed on.",
                param="model",
            )
        if isinstance(request, ChatRequest) and request.tools and not self._route.takes_tools:
            raise UnsupportedField("This model cannot call tools; ask another one.", param="tools")
        tried: list[Address] = []
        failure: ServerError | None = None
        while address := self._balancer.choose(self._addresses, prefix_of(request, owner), tried):
            tried.append(address)
            has_begun = False
            try:
                async with aclosing(self._stream_from(request, address, owner)) as events:
                    async for event in events:
                        has_begun = True
                        yield event
                return
            except UnsupportedField as error:  # the server of another address may follow the field
                failure = failure or error
            except Unanswered as error:
                if has_begun:
                    raise error.error from None
                failure = error.error
                self._note(address, error)
        raise failure or self._unreachable()

    @property
    def _route(self) -> Route:
        return self._route_of(self._model) or Route(model=self._model, context_length=0)

    @property
    def _addresses(self) -> Sequence[Address]:
        return self._route.addresses

    async def _stream_from(
        self, request: GenerationRequest, address: Address, owner: str
    ) -> AsyncGenerator[Event]:
        """The events of one address; raises UnsupportedField or Unanswered before the first of them."""
        if self._client is None:
            raise InternalError("The model is not ready; please ask again.")
        route = self._route
        limit = longest_answer(request, route.context_length, self._most_tokens)
        sends_limit = request.max_tokens is not None or self._most_tokens or address.engine in NEED_A_LIMIT
        sent = request if route.can_reason else request_body.without_reasoning(request)
        content = request_body.encoded(sent, address, owner, limit if sends_limit else 0)
        path = request_body.path_of(request)
        with self._balancer.stream(address) as health:
            async with connection.posted(self._client, address, path, content) as pieces:
                health.note_answer()
                yield _accepted(request, limit, route.can_reason)
                async with aclosing(self._read(request, address, pieces)) as events:
                    async for event in events:
                        yield event

    async def _read(
        self, request: GenerationRequest, address: Address, pieces: AsyncGenerator[bytes]
    ) -> AsyncGenerator[Event]:
        """The events in the body of an answer; the balancer notes where the upstream fails during it."""
        reader = ChunkReader(request.answers, prompt_tokens(request))
        try:
            async with aclosing(pieces), aclosing(data_of(pieces, self._silence_s)) as found:
                async for data in found:
                    for event in reader.read(data):
                        yield event
                    if reader.is_done:
                        break
            for event in reader.end():
                yield event
        except UpstreamFailed as error:
            self._balancer.note_failure(address, error.message.rstrip("."))
            raise

    def _note(self, address: Address, error: Unanswered) -> None:
        if error.pause_s is None:
            self._balancer.note_failure(address, error.reason)
        else:
            self._balancer.note_busy(address, error.pause_s)

    def _unreachable(self) -> UpstreamUnreachable:
        wait = max(1.0, self._balancer.retry_in_s(self._addresses))
        return UpstreamUnreachable(
            "No server that answers for this model can be reached now; ask again later.", retry_after=wait
        )

    # What a worker can do and another server cannot, or need not.

    def limit_growth(self, request: Request, growth: object) -> None:
        """Its answers take no memory here."""

    async def end_thinking(self, request: Request) -> int:
        """Its reasoning cannot be ended."""
        return 0

    def shed(self, keep_bytes: int) -> None:
        """It keeps no prefixes here."""

    def drop_loras(self, names: tuple[str, ...]) -> None:
        """It has no adapters here."""

    def on_memory(self, report: Callable[[Memory], None]) -> None:
        """It has no memory to report."""

    async def wait_ended(self) -> None:
        await self._ended.wait()

    async def stop(self) -> None:
        """Close its connections. Idempotent."""
        self._ended.set()
        if self._checks:
            await self._checks.stop()
        if self._client:
            await self._client.aclose()


def _accepted(request: GenerationRequest, limit: int, can_reason: bool) -> Accepted:
    return Accepted(
        prompt_tokens=prompt_tokens(request),
        max_tokens=limit * request.answers,
        answer_limit=limit,
        sampling=request.sampling,
        noted=tuple(request_body.noted(request, can_reason)),
        best_effort=tuple(request_body.best_effort(request)),
    )
