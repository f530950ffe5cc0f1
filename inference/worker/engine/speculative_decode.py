"""The decode step with speculation: several tokens of a row in one forward pass, where drafts are right.

A step is plain (decode_step.py), or it verifies drafts:

1. Find a draft for each row: what followed its latest tokens before. While the latest token is still being
   computed, the draft has to begin with a guess of it. Without a promising draft, also of a draft model, the
   step is plain, and nothing waits for the device.
2. Read the latest tokens, draft again from them, and choose the width W: plan.py. Where drafts of a draft
   model promise more, it makes them: draft_model.py.
3. Run the model on (B, W) int32, each row's latest token and its draft, padded: logits (B, W, V).
4. Sample every place (verification.py), and accept a draft up to its first wrong token.
5. Roll the caches back to the accepted tokens, row by row (ragged_cache.py), and return all new tokens.

After any step the caches have exactly the tokens that were returned, and the next token is sampled: a row may
be removed, extracted or joined by others as after a plain step.
"""

import time
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
from mlx_lm.generate import GenerationBatch

from inference.worker.engine.decode_step import Decode
from inference.worker.engine.prefill_budget import PrefillBudget
from inference.worker.speculation.draft_counts import DraftCounts
from inference.worker.speculation.drafter import NO_DRAFT, Draft, Drafter
from inference.worker.speculation.plan import MAX_DRAFT, DraftPlan, best_plan
from inference.worker.speculation.ragged_cache import can_roll_back, ragged, roll_back
from inference.worker.speculation.speculation import Speculation
from inference.worker.speculation.verification import RowPlaces, accepted_count, places_of, sample_places

MOST_FED = 256  # tokens that the draft model is fed between two steps


@dataclass
class DraftedResponse(GenerationBatch.Response):  # type: ignore[misc]  # mlx-lm is not typed
    """A token, with what became of its row's draft if it is the first of the row in its step."""

    draft: DraftCounts | None = None


class SpeculativeDecode(Decode):
    """A Decode that verifies drafts, if it has a Speculation."""

    prompt_cache: list[Any]
    speculation: Speculation | None = None
    draft_budget = PrefillBudget(MOST_FED)  # each lane has its own
    _known: list[int] | None = None  # the next tokens, once they have been read
    _ended_at = 0.0  # when the last step ended
    _last_shape = (0, 0)  # rows and width of the last step

    def next(self) -> list[Any]:
        """Compute the next tokens; returns those that are certain, the ones of a row in order."""
        speculation = self.speculation
        if speculation is None:
            return list(super().next())
        drafts = self._drafts(speculation)
        started, rows = time.perf_counter(), len(self.uids)
        responses = self._verify(speculation, drafts) if drafts else list(super().next())
        if not drafts:
            self._known = None
        shape = (rows, 1 + max((len(draft.tokens) for draft in drafts or ()), default=0))
        self._measure(speculation, shape, started, len(responses))
        return responses

    def extend(self, batch: Any) -> None:
        super().extend(batch)
        self._known = None

    def filter(self, keep: list[int]) -> None:
        kept = {self.uids[row] for row in keep}
        for uid in self.uids if self.speculation else ():
            if self.speculation and uid not in kept:
                self.speculation.forget(uid)
        super().filter(keep)
        self._known = [self._known[row] for row in keep] if self._known else None

    def _drafts(self, speculation: Speculation) -> list[Draft] | None:
        """A draft for each row; None if a plain step is better."""
        speculation.drafting_s = 0.0
        if not (speculation.drafters and can_roll_back(self.prompt_cache)):
            return None
        of_model = self._plan_of_model(speculation)
        if self._known is None:
            guesses = [self._draft(speculation, row, None) for row in range(len(self.uids))]
            of_guesses = best_plan(guesses, speculation.costs, is_guess=True)
            if of_guesses.width == of_model.width == 1:
                return None
            self._known = self._next_tokens.tolist()
        drafts = [self._draft(speculation, row, token) for row, token in enumerate(self._known or ())]
        plan = best_plan(drafts, speculation.costs)
        if of_model.width > 1 and of_model.speed > plan.speed:
            plan, drafts = of_model, self._drafts_of_model(speculation, drafts, of_model.width - 1)
        cut = [draft.first(plan.width - 1) for draft in drafts]
        return cut if any(draft.tokens for draft in cut) else None

    def _plan_of_model(self, speculation: Speculation) -> DraftPlan:
        """What drafts of the draft model promise, before any is made.

        Of rows that it has not seen yet it is fed a chunk; the others are drafted for meanwhile.
        """
        model, plain = speculation.draft_model, speculation.costs.plain(len(self.uids))
        if model is None or plain is None or not speculation.costs.may_speculate:
            return DraftPlan()
        known = self._drafted_for(speculation)
        plan = self._plan_for(speculation, set(known), plain)
        if plan.width == 1 or model.ready(known) == set(known):
            return plan
        if not speculation.is_prefilling:
            started = time.perf_counter()
            most, _ = self.draft_budget.allot([MOST_FED + 1], is_decoding=True)
            fed = model.prepare(known, most)
            self.draft_budget.record(fed, time.perf_counter() - started)
            speculation.is_interrupted = True
        return self._plan_for(speculation, model.ready(known), plain)

    def _plan_for(self, speculation: Speculation, uids: AbstractSet[int], plain: float) -> DraftPlan:
        """What drafts of the draft model for these rows promise."""
        rows, drafters = len(self.uids), speculation.drafters
        possible = [
            drafters[uid].of_model((0,) * self._most_drafted(row, drafters[uid])) if uid in uids else NO_DRAFT
            for row, uid in enumerate(self.uids)
        ]
        return best_plan(
            possible,
            speculation.costs,
            drafting_s=lambda count: speculation.drafting_costs.seconds(rows, count, plain),
        )

    def _drafted_for(self, speculation: Speculation) -> dict[int, list[int]]:
        """The tokens of the rows that may be drafted for, without the latest ones."""
        rows = zip(self.uids, self.tokens, strict=True)
        return {uid: tokens for uid, tokens in rows if uid in speculation.drafters}

    def _drafts_of_model(self, speculation: Speculation, drafts: Sequence[Draft], count: int) -> list[Draft]:
        """The draft model's drafts, but those of `drafts` that are right more often."""
        started, model = time.perf_counter(), speculation.draft_model
        rows = {
            uid: [*tokens, latest]
            for uid, tokens, latest in zip(self.uids, self.tokens, self._known or (), strict=True)
            if uid in speculation.drafters
        }
        drafted = model.draft(rows, count) if model else {}
        speculation.drafting_s = time.perf_counter() - started
        if drafted:
            speculation.drafting_costs.record(len(self.uids), count, speculation.drafting_s)
        made = []
        for row, (uid, draft) in enumerate(zip(self.uids, drafts, strict=True)):
            drafter = speculation.drafters.get(uid)
            if drafter is None or uid not in drafted:
                made.append(draft)
                continue
            own = drafter.of_model(drafted[uid][: self._most_drafted(row, drafter)])
            made.append(draft if draft.tokens and draft.rate > own.rate else own)
        return made

    def _most_drafted(self, row: int, drafter: Drafter) -> int:
        """How many tokens may be drafted for a row: none beyond its last."""
        return max(0, drafter.limited(min(MAX_DRAFT, self.max_tokens[row] - self._num_tokens[row] - 1)))

    def _draft(self, speculation: Speculation, row: int, following: int | None) -> Draft:
        """What may come after the next token of a row; that token is `following`, if it has been read."""
        drafter = speculation.drafters.get(self.uids[row])
        if drafter is None or not drafter.catch_up(self.tokens[row], following):
            return NO_DRAFT
        count = self._most_drafted(row, drafter)
        return drafter.draft(count, skipped=1 if following is None else 0) if count > 0 else NO_DRAFT

    def _verify(self, speculation: Speculation, drafts: Sequence[Draft]) -> list[Any]:
        """Steps 3 to 5 of the list above."""
        latest, width = self._known or [], 1 + max(len(draft.tokens) for draft in drafts)
        fed = [[token, *draft.tokens] for token, draft in zip(latest, drafts, strict=True)]
        self.prompt_cache = ragged(self.prompt_cache)
        inputs = mx.array([row + row[-1:] * (width - len(row)) for row in fed])
        logits = self.model(inputs, cache=self.prompt_cache)
        mx.async_eval(logits)  # type: ignore[no-untyped-call]  # computed while masks are made
        places = [
            places_of(sampler, row, logits[index])
            for index, (sampler, row) in enumerate(zip(self.samplers, fed, strict=True))
        ]
        sampled = sample_places(places)
        accepted = [accepted_count(draft.tokens, new) for draft, new in zip(drafts, sampled, strict=True)]
        ends = [self._advance(row, fed[row][: 1 + count]) for row, count in enumerate(accepted)]
        responses = self._accept(speculation, drafts, places, sampled, [tokens for tokens, _ in ends])
        roll_back(self.prompt_cache, [len(tokens) for tokens, _ in ends], width)
        return self._end(responses, [finish for _, finish in ends])

    def _advance(self, row: int, tokens: list[int]) -> tuple[list[int], str | None]:
        """Count the new tokens of a row, up to one that ends it; returns them and the finish reason."""
        for count, token in enumerate(tokens, start=1):
            self._num_tokens[row] += 1
            is_last = self._num_tokens[row] >= self.max_tokens[row]
            if self._matchers[row].advance(token):
                return tokens[:count], "stop"
            if is_last:
                return tokens[:count], "length"
        return tokens, None

    def _accept(
        self,
        speculation: Speculation,
        drafts: Sequence[Draft],
        places: Sequence[RowPlaces],
        sampled: Sequence[Sequence[int]],
        tokens: Sequence[list[int]],
    ) -> list[list[Any]]:
        """Advance every row by its new tokens; returns their responses, for each row."""
        responses = []
        following: list[int] = []
        for row, new in enumerate(tokens):
            count, draft = len(new) - 1, drafts[row]
            logprobs = [
                self._next_logprobs[row],
                *(places[row].logprob_of(place, token) for place, token in enumerate(new[1:])),
            ]
            responses.append(
                [
                    DraftedResponse(self.uids[row], token, logprob, None, None, None)
                    for token, logprob in zip(new, logprobs, strict=True)
                ]
            )
            if draft.tokens:
                speculation.drafters[self.uids[row]].record(draft, count)
                responses[-1][0].draft = DraftCounts(len(draft.tokens), count, draft.is_predicted)
            following.append(sampled[row][count])
            self._next_logprobs[row] = places[row].logprob_of(count, following[-1])
            places[row].accept(count)
            self.tokens[row] += new
        self._known, self._next_tokens = following, mx.array(following, dtype=mx.uint32)
        mx.async_eval(  # type: ignore[no-untyped-call]
            *(array for row in responses for one in row if one.logprobs for array in one.logprobs.arrays),
            *(array for logprob in self._next_logprobs if logprob for array in logprob.arrays),
        )
        return responses

    def _end(self, responses: Sequence[list[Any]], finishes: Sequence[str | None]) -> list[Any]:
        """The responses in one list; rows that have ended are removed with copies of their caches."""
        for row, finish in enumerate(finishes):
            if finish:
                last = responses[row][-1]
                last.finish_reason, last.all_tokens = finish, self.tokens[row]
                last.prompt_cache = self.extract_cache(row)
        if any(finishes):
            self.filter([row for row, finish in enumerate(finishes) if not finish])
        return [one for row in responses for one in row]

    def _measure(self, speculation: Speculation, shape: tuple[int, int], started: float, tokens: int) -> None:
        """Record the cost of the step, if it differs measurably from the steps around it.

        Plain steps overlap: each returns what the one before it has begun to compute.
        """
        rows, width = shape
        now = time.perf_counter()
        is_steady = not speculation.is_interrupted and self._last_shape[0] == rows
        if width > 1:
            has_known = is_steady and self._last_shape[1] > 1
            seconds = now - started if not has_known else now - self._ended_at - speculation.drafting_s
            speculation.costs.record(rows, width, seconds, tokens, speculation.drafting_s)
        elif is_steady and self._last_shape[1] == 1:
            speculation.costs.record(rows, 1, now - self._ended_at, tokens)
        self._ended_at, self._last_shape, speculation.is_interrupted = now, shape, False
