"""Verifying drafts: every place of every row is sampled as the plain step would sample it.

B is the number of rows, W the width of the step and V the size of the vocabulary. A row has one place, and
one more for each of its drafted tokens.

A place has the row's own sampler in the state that it would have there: its position, and its penalties,
masks and constraints after the drafted tokens before it. A token is drawn by seed and position, so the tokens
are those of plain steps, as far as the drafts are right; what was sampled after a wrong one is dropped.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import mlx.core as mx

from inference.worker.sampling.kernels import Draw, sample_each
from inference.worker.sampling.logprobs import RowLogprob
from inference.worker.sampling.token_sampler import TokenSampler


@dataclass(frozen=True)
class RowPlaces:
    """The n places of one row: their processed logits (n, V) and draws."""

    sampler: TokenSampler
    logits: mx.array
    draws: list[Draw]
    states: list[TokenSampler]  # of the sampler at each place; empty if it changes no logits

    def logprob_of(self, place: int, token: int) -> RowLogprob | None:
        """The log probability of the token sampled at a place, for a sampler that has them."""
        state = self.states[place] if self.states else self.sampler
        return state.logprob_for(self.logits[place], mx.array(token)) if state.has_logprob else None

    def accept(self, drafted: int) -> None:
        """Advance the sampler past its sampled token and so many drafted ones."""
        if self.states:
            self.sampler.take_over(self.states[drafted])
            self.sampler.advance(1)
        else:
            self.sampler.advance(drafted + 1)


def places_of(sampler: TokenSampler, tokens: Sequence[int], logits: mx.array) -> RowPlaces:
    """The places after each of `tokens`, the latest one and the drafted ones, from (W, V) logits.

    They end before the first drafted token that the constraints do not allow, and before the first place
    where the answer could not go on: what happens there is left to the next step.
    """
    if not sampler.changes_logits:
        return RowPlaces(sampler, logits[: len(tokens)], sampler.draws_ahead(len(tokens)), [])
    rows: list[mx.array] = []
    states: list[TokenSampler] = []
    state = sampler.fork()
    for place, token in enumerate(tokens):
        if place:
            if not state.allows(token):
                break
            state = state.fork()
            state.advance(1)
        state.observe(token)
        row = state.process(mx.array([token], dtype=mx.uint32), logits[place : place + 1])
        if place and state.failure:
            break
        rows.append(row)
        states.append(state)
    draws = [state.draws_ahead(1)[0] for state in states]
    return RowPlaces(sampler, mx.concatenate(rows, axis=0), draws, states)


def sample_places(rows: Sequence[RowPlaces]) -> list[list[int]]:
    """The sampled tokens of each row, one for each of its places; waits for the device."""
    params = [places.sampler.params for places in rows for _ in places.draws]
    draws = [draw for places in rows for draw in places.draws]
    logits = mx.concatenate([places.logits for places in rows], axis=0)
    tokens: list[int] = sample_each(params, draws, logits).tolist()  # type: ignore[assignment]
    starts = [0]
    for places in rows:
        starts.append(starts[-1] + len(places.draws))
    return [tokens[start:end] for start, end in zip(starts, starts[1:], strict=False)]


def accepted_count(drafted: Sequence[int], sampled: Sequence[int]) -> int:
    """How many drafted tokens are the sampled ones; the last sampled token follows them all."""
    pairs = zip(drafted, sampled[:-1], strict=False)
    return next((place for place, (left, right) in enumerate(pairs) if left != right), len(sampled) - 1)
