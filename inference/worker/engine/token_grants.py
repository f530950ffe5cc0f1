"""Token grants: how many tokens the answers of each request may have before the pool grants more.

The pool reserves memory for a prompt and the first tokens of its answers only. For each request:

1. `count` counts the tokens of its answers. It asks for more when an answer has used all but a margin.
2. A grant raises the limit of all its answers. One that comes in time changes nothing else.
3. An answer that reaches the limit without a grant makes no further token: the request is paused. So is one
   that the pool pauses. The engine takes its sequences out of the batch, and their caches become prefixes.
4. A grant puts the sequences of a paused request back, with the tokens that they have.

Used on the engine's thread only.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from inference.core.protocol import Grant, GrowthWanted
from inference.worker.engine.commands import Limit
from inference.worker.engine.sequence import Output, Sampled, Sequence

SLICE = 256  # tokens that are asked for at once
_MARGIN = 128  # what is left of a grant when more is asked for, or half of a smaller grant
_EARLY = 1024  # more requests than are ever in preparation at once


@dataclass(eq=False)
class LimitedAnswer:
    """One unfinished answer of a request; `made` tokens of at most `most`."""

    request: "LimitedRequest"
    prompt: int  # tokens
    most: int
    made: int = 0

    def left(self) -> int:
        """Granted tokens that it has not made."""
        return max(0, self.request.tokens - self.made)


@dataclass(eq=False)
class LimitedRequest:
    """The unfinished answers of one request, by their sequences, and the `tokens` that each may have."""

    number: int
    tokens: int
    answers: dict[int, LimitedAnswer] = field(default_factory=dict)
    wishes: int = 0  # how often it has asked
    asks_at: int = 0  # tokens of an answer at which more are asked for
    has_asked: bool = False
    is_paused: bool = False
    waiting: list[Sequence] = field(default_factory=list)  # while it is paused

    @property
    def made(self) -> int:
        """Tokens of its longest answer."""
        return max((answer.made for answer in self.answers.values()), default=0)

    @property
    def is_used_up(self) -> bool:
        """Whether an answer has all tokens that were granted, and may have more."""
        return any(self.tokens <= one.made < one.most for one in self.answers.values())

    @property
    def wants_more(self) -> bool:
        may_grow = any(self.tokens < one.most and one.made >= self.asks_at for one in self.answers.values())
        return may_grow and not self.has_asked

    def raise_to(self, tokens: int) -> None:
        """Let each answer have so many tokens."""
        margin = min(_MARGIN, max(1, (tokens - self.made) // 2))
        self.tokens, self.asks_at, self.has_asked = tokens, tokens - margin, False

    def wish(self) -> GrowthWanted:
        """What it needs to go on: the next slice, or for a paused one what is left of its last grant."""
        has_some_left = self.is_paused and self.made < self.asks_at
        most = max((one.most for one in self.answers.values()), default=0)
        tokens = self.tokens if has_some_left else max(self.tokens, self.made) + SLICE
        return GrowthWanted(
            id=self.number,
            wish=self.wishes,
            tokens=min(tokens, most),
            made=self.made,
            answers=len(self.answers),
            prompt_tokens=sum(one.prompt for one in self.answers.values()),
            is_paused=self.is_paused,
        )


class TokenGrants:
    """The requests whose answers are limited; `want` sends what they ask for to the pool."""

    def __init__(self, want: Callable[[GrowthWanted], None]) -> None:
        self._want = want
        self._requests: dict[int, LimitedRequest] = {}
        self._answers: dict[int, LimitedAnswer] = {}  # by sequence
        # Paused before they began, while their prompts were prepared; some of them have ended already.
        self._paused_early: deque[int] = deque(maxlen=_EARLY)

    def open(self, limit: Limit) -> bool:
        """Limit a request whose sequences are added next; True if it begins paused.

        If less is reserved than its prompts and the granted tokens take, because its prompts are longer than
        they were estimated, it begins with fewer tokens and asks for more at once; paused if none are left.
        So does one that the pool has paused already.
        """
        request = LimitedRequest(limit.request, limit.tokens)
        for sequence in limit.sequences:
            answer = LimitedAnswer(request, len(sequence.prompt), sequence.max_tokens)
            request.answers[sequence.id] = self._answers[sequence.id] = answer
        self._requests[request.number] = request
        request.raise_to(limit.tokens)
        if limit.request in self._paused_early:
            request.is_paused = True
            self._ask(request)
            return True
        answers = request.answers.values()
        if sum(one.prompt + min(limit.tokens, one.most) for one in answers) <= limit.kv_tokens:
            return False
        left = (limit.kv_tokens - sum(one.prompt for one in answers)) // len(answers)
        request.is_paused = left < 1
        request.raise_to(limit.tokens if request.is_paused else left)
        self._ask(request)
        return request.is_paused

    def limited(self, sequences: tuple[Sequence, ...]) -> tuple[Sequence, ...]:
        """The same sequences, knowing what is left of their grants: no step may bring more tokens."""
        limits = [self._answers.get(one.id) for one in sequences]
        return tuple(
            replace(one, tokens_left=limit.left) if limit else one
            for one, limit in zip(sequences, limits, strict=True)
        )

    def hold_back(self, sequences: Iterable[Any]) -> bool:
        """Keep the sequences of a paused request for later; False if theirs is not paused."""
        for sequence in sequences:
            answer = self._answers.get(sequence.id)
            if not (answer and answer.request.is_paused):
                return False
            answer.request.waiting.append(sequence)
        return True

    def count(self, outputs: Iterable[Output]) -> list[int]:
        """Count the tokens of a step and ask for more; returns the requests that have used up theirs."""
        touched: dict[int, LimitedRequest] = {}
        for output in outputs:
            if not isinstance(output, Sampled) or not (answer := self._answers.get(output.id)):
                continue
            answer.made += 1
            if output.finish:
                self.remove(output.id)
            elif answer.made >= answer.request.asks_at:
                touched[answer.request.number] = answer.request
        for request in touched.values():
            if request.wants_more and not request.is_used_up:
                self._ask(request)
        return [number for number, request in touched.items() if request.is_used_up]

    @property
    def loras(self) -> set[str]:
        """The adapters that paused sequences go on with."""
        return {one.lora for request in self._requests.values() for one in request.waiting}

    def sequences_of(self, number: int) -> list[int]:
        """The unfinished sequences of a request, the last one first; none while it is paused."""
        request = self._requests.get(number)
        return list(reversed(request.answers)) if request and not request.is_paused else []

    def pause(self, number: int, sequences: Iterable[Sequence]) -> None:
        """Note that a request's sequences have left the batch, and ask for what it needs to go on.

        One that is unknown has ended, or begins paused.
        """
        if not (request := self._requests.get(number)):
            self._paused_early.append(number)
        if not request or request.is_paused:
            return
        request.waiting += sequences
        request.is_paused = True
        self._ask(request)

    def grant(self, grant: Grant) -> list[tuple[Sequence, ...]]:
        """Follow a grant; returns the sequences to be added again, those of one prompt together.

        A paused request has no use for a grant that was sent before the pool knew of its pause.
        """
        request = self._requests.get(grant.id)
        if not request or (request.is_paused and grant.wish != request.wishes):
            return []
        request.raise_to(grant.tokens if request.is_paused else max(grant.tokens, request.tokens))
        if request.is_paused and request.is_used_up:
            self._ask(request)
            return []
        waiting = sorted(request.waiting, key=lambda one: one.id)
        request.is_paused, request.waiting = False, []
        if request.wants_more:
            self._ask(request)
        return [tuple(group) for _, group in groupby(waiting, key=lambda one: (one.prompt, one.answered))]

    def remove(self, sequence_id: int) -> None:
        """Forget a sequence that has ended or was cancelled."""
        answer = self._answers.pop(sequence_id, None)
        if answer is None:
            return
        request = answer.request
        del request.answers[sequence_id]
        request.waiting = [one for one in request.waiting if one.id != sequence_id]
        if not request.answers:
            self._requests.pop(request.number, None)

    def end_thinking(self, sequence_id: int) -> bool:
        """Have the reasoning of a paused sequence end where it is; False where none goes on."""
        answer = self._answers.get(sequence_id)
        waiting = answer.request.waiting if answer else []
        for place, sequence in enumerate(waiting):
            if sequence.id == sequence_id and (ended := sequence.with_thinking_ended()):
                waiting[place] = ended
                return True
        return False

    def _ask(self, request: LimitedRequest) -> None:
        request.has_asked = True
        request.wishes += 1
        self._want(request.wish())
