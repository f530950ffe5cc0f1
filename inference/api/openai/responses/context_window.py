"""A conversation that has become too long is summarised before it is answered.

https://platform.openai.com/docs/guides/compaction
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import msgspec
from msgspec import Struct, structs

from inference.api.http import sealed_text
from inference.api.openai.responses.input_items import WINDOW
from inference.api.openai.responses.summary import Summary, is_summary, summary_message, summary_request
from inference.core.errors import ContextLengthExceeded, InternalError
from inference.core.events import Accepted, Compacted, Event, Progress, Tokenized
from inference.core.picture_placeholders import described
from inference.core.principal import Principal
from inference.core.requests import ChatRequest, Message, TokenizeRequest
from inference.serving import generation

_DEFAULT_SHARE = 0.75  # of the context
_LEAST_SUMMARY = 64  # tokens that a summary may always have; otherwise half of the threshold


class ContextWindow(Struct, frozen=True):
    """When a conversation is compacted: `threshold` in tokens of its prompt, None for a share of the context.

    The first `instructions` messages are the request's own; they are neither summarised nor stored.
    """

    threshold: int | None
    instructions: int

    async def stream(
        self, chat_request: ChatRequest, principal: Principal, answer_id: str
    ) -> AsyncGenerator[Event]:
        """The events of `asked`; where its prompt is too long, of a compacted one, after Compacted.

        Steps:
        1. Count the tokens of the prompt; up to the threshold, nothing changes.
        2. Have all but the last turn summarised. Where there is nothing to summarise, the summary does not
           fit the context or is empty, nothing changes either.
        3. Answer system messages, the user's messages, the summary and the last turn. Pictures of messages
           before the last turn become words, and what is kept for later requests has none.
        """
        shorter: tuple[Message, ...] = ()
        if most := await self._exceeded(chat_request, principal):
            summary = Summary()
            try:
                task = self._task(chat_request, max_tokens=max(_LEAST_SUMMARY, most // 2))
                async with aclosing(_noted(summary, task, principal)) as events:
                    async for event in events:
                        yield event
            except ContextLengthExceeded:
                summary = Summary()
            shorter = self._shortened(chat_request, summary.text)
        if shorter:
            sealed = msgspec.json.encode([described(message) for message in shorter]).decode()
            yield Compacted(content=sealed_text.seal(sealed, WINDOW))
            chat_request = structs.replace(
                chat_request, messages=(*chat_request.messages[: self.instructions], *shorter)
            )
        async with aclosing(generation.stream(chat_request, principal, answer_id)) as answer:
            async for event in answer:
                yield event

    async def _exceeded(self, chat_request: ChatRequest, principal: Principal) -> int:
        """The threshold where the prompt is longer and can be made shorter; else 0."""
        if not _is_compactable(self._history(chat_request)):
            return 0
        counted = None
        async with aclosing(generation.stream(TokenizeRequest(of=chat_request), principal)) as events:
            async for event in events:
                counted = event if isinstance(event, Tokenized) else counted
        if counted is None:
            raise InternalError("There was no answer; please try again.")
        most = self.threshold or int(counted.context_length * _DEFAULT_SHARE)
        return most if sum(map(len, counted.tokens)) > most else 0

    def _task(self, chat_request: ChatRequest, max_tokens: int) -> ChatRequest:
        """The request for the summary; limits of the answer are not its own."""
        own = chat_request.messages[: self.instructions]
        task = summary_request(chat_request, (*own, *self._history(chat_request)))
        return structs.replace(task, max_tokens=max_tokens, stop=(), ignores_end=False)

    def _history(self, chat_request: ChatRequest) -> Sequence[Message]:
        """All but the instructions and the last turn."""
        return chat_request.messages[
            self.instructions : len(chat_request.messages) - len(_last_turn(chat_request.messages))
        ]

    def _shortened(self, chat_request: ChatRequest, summary: str) -> tuple[Message, ...]:
        """What is answered in the place of the conversation; empty where there is no summary."""
        if not summary:
            return ()
        kept = [
            one
            for one in self._history(chat_request)
            if one.role in ("system", "user") and not is_summary(one)
        ]
        kept.sort(key=lambda one: one.role != "system")
        messages = map(described, kept)  # pictures would take most of what is left
        return (*messages, summary_message(summary), *_last_turn(chat_request.messages))


async def _noted(summary: Summary, task: ChatRequest, principal: Principal) -> AsyncGenerator[Event]:
    """What a client sees of the summary being written: that the request waits, and is accepted."""
    async with aclosing(generation.stream(task, principal)) as events:
        async for event in events:
            summary.note(event)
            if isinstance(event, Accepted):
                yield structs.replace(event, answer_limit=0)  # it would be the summary's
            elif isinstance(event, Progress):
                yield event


def _last_turn(messages: Sequence[Message]) -> Sequence[Message]:
    """The user's last message, or the calls before the last results with them, or an answer to go on with."""
    begin = len(messages) - 1
    while begin > 0 and messages[begin].role == "tool":
        begin -= 1
    return messages[begin:]


def _is_compactable(history: Sequence[Message]) -> bool:
    """Whether a summary would stand for anything: messages of the system and the user are kept."""
    return any(one.role in ("assistant", "tool") for one in history)
