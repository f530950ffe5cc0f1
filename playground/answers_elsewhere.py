"""What a visitor does with an answer that another front of this site is making: read it along, stop it."""

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import suppress
from uuid import UUID

from inference.core.errors import NotFound, Unavailable
from inference.core.principal import Principal
from inference.fronts.connection import RedisLost
from inference.fronts.front import Front, current
from inference.fronts.handlers import HANDLERS, Body, Handlers
from inference.serving.active_requests import STREAMS, Streams
from playground.answer_claims import AnswerElsewhere
from playground.running_answers import RUNNING_ANSWERS, RunningAnswers

_STOP, _STOP_CONVERSATION, _END_THINKING, _FRAMES = "stop", "stop_conversation", "end_thinking", "answer"
_RETRY_S = 3.0


class AnswersElsewhere:
    """Asks other fronts about their answers, and answers them about those of this one."""

    def __init__(
        self,
        answers: RunningAnswers,
        streams: Streams = STREAMS,
        find_front: Callable[[], Front | None] = current,
        handlers: Handlers = HANDLERS,
    ) -> None:
        self._answers = answers
        self._streams = streams
        self._find_front = find_front
        handlers.questions |= {_STOP: self._on_stop, _END_THINKING: self._on_end_thinking}
        handlers.sources[_FRAMES] = self._on_read
        handlers.on(_STOP_CONVERSATION, lambda body: answers.stop_conversation(UUID(body["conversation"])))

    async def find(self, message: int) -> AnswerElsewhere | None:
        """The answer to this message that another front is making; raises Unavailable while nobody knows."""
        if self._find_front() is None:
            return None
        try:
            return (await self._answers.claims.elsewhere()).get(message)
        except RedisLost:
            raise _unreachable() from None

    async def has_any(self, messages: Iterable[int]) -> bool:
        """Whether another front is making one of these answers; raises Unavailable while nobody knows."""
        if self._find_front() is None:
            return False
        try:
            return not (await self._answers.claims.elsewhere()).keys().isdisjoint(messages)
        except RedisLost:
            raise _unreachable() from None

    async def frames(self, message: int, other: AnswerElsewhere) -> AsyncGenerator[bytes]:
        """The answer so far, then each event, then all of it, as the other front has them.

        The stream ends if the other front does; the page then begins it again.
        """
        if front := self._find_front():
            with suppress(RedisLost):
                async for piece in front.read_along(other.front, _FRAMES, {"message": message}):
                    yield piece

    async def stop(self, messages: Iterable[int]) -> None:
        """Stop those of these answers that other fronts make, and wait until they are saved.

        Raises Unavailable where a front cannot be reached.
        """
        if not (front := self._find_front()):
            return
        try:
            elsewhere = await self._answers.claims.elsewhere()
            for message in messages:
                if other := elsewhere.get(message):
                    await front.ask(other.front, _STOP, {"message": message})
        except RedisLost:
            raise _unreachable() from None

    def stop_conversation(self, conversation: UUID) -> None:
        """Stop every answer of a conversation that is deleted, at fronts that hear of it."""
        if front := self._find_front():
            front.say(_STOP_CONVERSATION, {"conversation": str(conversation)})

    async def end_thinking(self, message: int, answer_id: str, principal: Principal) -> bool:
        """End the reasoning of an answer; False where none goes on elsewhere. Raises Unavailable."""
        front, other = self._find_front(), await self.find(message)
        if front is None or other is None:
            return False
        named = {"answer": answer_id, "kind": principal.kind, "name": principal.name}
        try:
            return bool(await front.ask(other.front, _END_THINKING, named))
        except RedisLost:
            raise _unreachable() from None

    async def _on_stop(self, body: Body) -> bool:
        if answer := self._answers.get(body["message"]):
            answer.stop()
            await answer.join()
        return answer is not None

    async def _on_end_thinking(self, body: Body) -> bool:
        principal = Principal(kind=body["kind"], name=body["name"])
        with suppress(NotFound):  # it has ended meanwhile
            return await self._streams.end_thinking(body["answer"], principal)
        return False

    def _on_read(self, body: Body) -> AsyncGenerator[bytes] | None:
        answer = self._answers.get(body["message"])
        return answer.frames() if answer else None


def _unreachable() -> Unavailable:
    return Unavailable(
        "The server that writes this answer cannot be reached now; please try again.", retry_after=_RETRY_S
    )


ELSEWHERE = AnswersElsewhere(RUNNING_ANSWERS)
