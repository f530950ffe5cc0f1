"""One open request: its answers, its token counts and its timings."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from inference.core.events import Accepted, Ended, Event, Finished, FinishReason, Progress, Timings, Usage
from inference.core.protocol import Submit
from inference.worker.engine.commands import Add, Limit
from inference.worker.engine.sequence import Prefilled, Sequence
from inference.worker.speculation.draft_counts import DraftTotals
from inference.worker.text.answer import AnswerText
from inference.worker.text.prompts import PreparedPrompt


@dataclass(eq=False)
class OpenRequest:
    """One request between Accepted and its end; times are perf_counter seconds."""

    number: int
    accepted_at: float
    answers: dict[int, AnswerText]  # unfinished answers, by the id of their sequence
    prompts: dict[int, int]  # tokens of each prompt, by the first sequence that answers it
    prefilled: dict[int, int] = field(default_factory=dict)  # tokens of each prompt in the KV cache
    cached: dict[int, int] = field(default_factory=dict)  # those of them that came from the prefix cache
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    reasoning_truncated: bool = False
    drafts: DraftTotals = field(default_factory=DraftTotals)
    has_prediction: bool = False
    prefill_at: float | None = None
    decode_at: float | None = None
    logprobs: int | None = None  # how many alternatives for the tokens of its answers and echoes
    prompt_logprobs: int | None = None  # how many alternatives for the tokens of its prompts; None: no scores
    paused_s: float = 0.0
    paused_at: float | None = None
    cut_by: Literal["", "memory"] = ""  # what ended its answers before their limit
    cut: int | None = None  # a rerank request's documents that were cut; None for other requests

    @classmethod
    def of(cls, number: int, prepared: list[PreparedPrompt]) -> "OpenRequest":
        answers = {
            sequence.id: answer
            for prompt in prepared
            for sequence, answer in zip(prompt.sequences, prompt.answers, strict=True)
        }
        prompts = {prompt.sequences[0].id: len(prompt.prompt) for prompt in prepared}
        first = prepared[0]
        return cls(
            number,
            time.perf_counter(),
            answers,
            prompts,
            has_prediction=bool(first.sequences[0].prediction),
            logprobs=first.sequences[0].logprobs,
            prompt_logprobs=first.prompt_logprobs,
        )

    @property
    def sequences(self) -> set[int]:
        """The ids of all sequences that the engine may still be computing for it."""
        return {*self.answers, *self.prompts}

    @property
    def prompt_tokens(self) -> int:
        return sum(self.prompts.values())

    def progress(self, prefilled: Prefilled) -> Progress:
        """Record how far a prompt's prefill is; returns the progress of all prompts together."""
        self.prefill_at = self.prefill_at or time.perf_counter()
        if prefilled.id in self.prompts:
            # After a pause the tokens of its answer are prefilled beside those of its prompt.
            self.prefilled[prefilled.id] = min(prefilled.done, self.prompts[prefilled.id])
            # A prompt that is computed again finds its own prefix: only the first figure counts as cached.
            self.cached.setdefault(prefilled.id, prefilled.cached)
        done, cached = sum(self.prefilled.values()), sum(self.cached.values())
        return Progress(phase="prefill", done=done, total=self.prompt_tokens, cached=cached)

    def pause(self) -> None:
        """Note that nothing of it is computed from now on."""
        self.paused_at = self.paused_at or time.perf_counter()

    def resume(self) -> None:
        """Note that it is computed again: its phase began as much later. Without effect if not paused."""
        if self.paused_at is None:
            return
        seconds, self.paused_at = time.perf_counter() - self.paused_at, None
        self.paused_s += seconds
        if self.decode_at is not None:
            self.decode_at += seconds
        elif self.prefill_at is not None:
            self.prefill_at += seconds
        else:
            self.accepted_at += seconds

    def end(self, sequence: int, reason: FinishReason) -> list[Event]:
        """End one answer; returns its Ended event, and after the last answer the request's Finished too."""
        answer = self.answers.pop(sequence)
        self.completion_tokens += answer.tokens
        self.reasoning_tokens += answer.reasoning_tokens
        self.reasoning_truncated |= answer.is_reasoning_cut
        ended = Ended(
            reason=reason,
            index=answer.index,
            stop=answer.stop,
            ids=answer.take_ids(),
            is_reasoning_cut=answer.is_reasoning_cut,
        )
        return [ended] if self.answers else [ended, self.finished()]

    def finished(self) -> Finished:
        """The event that ends the request, with its usage and timings."""
        now = time.perf_counter()
        prefill_at, decode_at = self.prefill_at or now, self.decode_at or now
        usage = Usage(
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            cached_tokens=sum(self.cached.values()),
            reasoning_tokens=self.reasoning_tokens,
            reasoning_truncated=self.reasoning_truncated,
            drafted_tokens=self.drafts.drafted,
            accepted_tokens=self.drafts.accepted,
            predicted_tokens=self.drafts.predicted if self.has_prediction else None,
            accepted_predicted_tokens=self.drafts.accepted_predicted,
        )
        timings = Timings(
            queue_s=prefill_at - self.accepted_at,
            prefill_s=decode_at - prefill_at,
            decode_s=now - decode_at,
            paused_s=self.paused_s,
        )
        return Finished(usage=usage, timings=timings, cut_by=self.cut_by)


def accepted(request: OpenRequest, submit: Submit, prepared: list[PreparedPrompt]) -> Accepted:
    """The event that answers a submitted request."""
    sequences = [sequence for prompt in prepared for sequence in prompt.sequences]
    wants_ids = getattr(submit.request, "returns_token_ids", False)
    return Accepted(
        prompt_tokens=request.prompt_tokens,
        max_tokens=sum(sequence.max_tokens for sequence in sequences),
        sampling=sequences[0].sampling,
        answer_limit=max(sequence.max_tokens for sequence in sequences),
        noted=prepared[0].noted,
        best_effort=prepared[0].best_effort,
        prompts=tuple(one.prompt for one in prepared) if wants_ids else (),
        cut_tokens=sum(one.cut_tokens for one in prepared),
    )


def additions(submit: Submit, groups: list[tuple[Sequence, ...]]) -> Iterator[Limit | Add]:
    """What the engine is to compute: the sequences of each prompt, after the tokens that were granted."""
    if submit.tokens is not None and groups:
        sequences = tuple(one for group in groups for one in group)
        yield Limit(submit.id, submit.tokens, submit.kv_tokens, sequences)
    yield from map(Add, groups)
