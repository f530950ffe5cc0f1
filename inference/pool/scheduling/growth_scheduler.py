"""Growth: which running answers get memory for more tokens, and which are paused so that older ones get it.

A lease reserves its prompts and the first tokens of its answers. Its worker asks for more before they are
used up, and makes no token beyond what was granted. So the reserved bytes never exceed the limit, however
long the answers become. In each round, the requests that want something are served in fair order
(fair_queue.py): by the number of answers of their account's earlier requests that run, and then by when
their turn began. That of one account is the order in which they came, and "older" and "younger" below mean
this order. Whoever is first stays first until its end.

1. One that fits is granted what it wants. A paused one must also leave a slice for each older one that runs.
2. For the first that would fit if prefixes were shed, idle models evicted and younger requests paused, just
   that is done, in this order, as far as it is needed. Nobody behind it is served before it fits.
3. One that does not fit beside the older ones waits. It keeps nobody else from growing, since younger
   requests can be paused once the older ones have ended; so the oldest always goes on, and then the next.
4. A paused one that would not even fit alone is cut short: its answers end with the reason "length".
5. Where nothing moves and nobody can come to fit, because paused requests keep their models in memory, the
   youngest paused one is cut short.
"""

from collections.abc import Callable

from inference.core.pool_state import ModelState
from inference.core.protocol import GrowthWanted
from inference.core.units import in_gb
from inference.pool.options import PoolOptions
from inference.pool.residency import eviction
from inference.pool.residency.answer_growth import AnswerGrowth
from inference.pool.residency.lease import PendingLease
from inference.pool.residency.records import PoolRecords
from inference.pool.residency.resident import Resident
from inference.pool.residency.unloader import Unloader
from inference.pool.scheduling.fair_queue import ranks
from inference.pool.workers.growths import Growth

_SLICE_TOKENS = 256  # that an older answer is taken to want next


class GrowthScheduler:
    """The granted leases with answers; `on_change` is called after each wish."""

    def __init__(
        self,
        records: PoolRecords,
        options: PoolOptions,
        *,
        unloader: Unloader,
        on_change: Callable[[], None],
        next_turn: Callable[[], int],
    ) -> None:
        self._ledger = records.ledger
        self._decisions = records.decisions
        self._clock = records.clock
        self._options = options
        self._unloader = unloader
        self._on_change = on_change
        self._next_turn = next_turn
        self._leases: list[PendingLease] = []
        self._is_making_space = False

    def open(self, lease: PendingLease) -> None:
        """Follow the answers of a lease that was just granted."""
        growth = Growth(lease.first_tokens, lease.held_tokens, lambda wanted: self.note(lease, wanted))
        lease.growth = AnswerGrowth(growth)
        self._leases.append(lease)

    def close(self, lease: PendingLease) -> None:
        """Forget a lease that is over, if it was followed."""
        if lease not in self._leases:
            return
        self._leases.remove(lease)
        turn = self._next_turn()
        for one in self._leases:
            if one.share == lease.share and one.number > lease.number:
                one.turn = turn

    def note(self, lease: PendingLease, wanted: GrowthWanted) -> None:
        """Note what a request wants; it is served in the next round."""
        growth = lease.growth
        if not growth or growth.state == "ending" or lease not in self._leases:
            return
        if growth.state == "pausing" and not wanted.is_paused:
            return
        if wanted.is_paused and growth.state != "paused":
            lease.note_pause(self._clock())
            growth.has_waited = False
        growth.wanted = wanted
        self._on_change()

    @property
    def is_waiting(self) -> bool:
        """Whether a request wants something; what is free is then not given to first slices."""
        return any(one.growth and one.growth.wanted for one in self._leases)

    @property
    def blocks_admissions(self) -> bool:
        """Whether no further request may take memory: one that runs has it made, or has waited too long."""
        patience, now = self._options.patience_s, self._clock()
        return self._is_making_space or any(
            one.growth
            and one.growth.state == "paused"
            and now - one.growth.paused_at > patience
            and self._fits_beside_claims(one, one.growth)
            for one in self._leases
        )

    def serve(self) -> None:
        """Run one round of the steps above."""
        self._is_making_space = False
        self._sort()
        for lease in list(self._leases):
            if (growth := lease.growth) and growth.wanted:
                self._serve(lease, growth, growth.wanted)
            if self._is_making_space:
                break
        self._record_pauses()
        if not self._is_making_space:
            self._break_stalemate()

    def _record_pauses(self) -> None:
        """Record the requests that wait; one that gets at once what it wants has paused for a moment only."""
        for lease in self._leases:
            growth = lease.growth
            if growth and growth.state == "paused" and growth.wanted and not growth.has_waited:
                growth.has_waited = True
                self._record("paused", lease, f"after {growth.wanted.made} tokens of its answer")

    def _sort(self) -> None:
        """Bring the leases into fair order; their places in the list are their ages."""
        rank = ranks(self._leases, [])
        self._leases.sort(key=lambda one: (rank[one], one.turn))

    def _is_older(self, lease: PendingLease, other: PendingLease) -> bool:
        return self._leases.index(lease) < self._leases.index(other)

    def _serve(self, lease: PendingLease, growth: AnswerGrowth, wanted: GrowthWanted) -> None:
        resident = lease.resident
        if resident is None:
            return
        tokens = min(wanted.tokens, self._most_alone(resident, wanted))
        if tokens <= (wanted.made if growth.state == "paused" else growth.tokens):
            if growth.state == "paused":  # one that runs uses up its grant first
                self._cut_short(lease, "it needs more memory than the limit allows, even alone")
            return
        need = resident.cost_of_kv(wanted.kv_tokens(tokens) - lease.held_tokens)
        need += self._slices_before(lease) if growth.state == "paused" else 0
        if need <= max(0, self._ledger.free):
            if growth.state == "paused" and growth.has_waited:
                self._record("resumed", lease, f"after {wanted.made} tokens of its answer")
            lease.allow(tokens, self._clock())
        elif self._kept_for(lease) + need <= self._ledger.limit:
            self._is_making_space = True
            self._make_space(lease, need)

    def _most_alone(self, resident: Resident, wanted: GrowthWanted) -> int:
        """Tokens of each answer if everything else were gone that may be: all but pinned models."""
        if not resident.kv_per_token:
            return wanted.tokens
        fitting = (self._ledger.limit - self._least_beside(resident)) // resident.kv_per_token
        return max(0, fitting - wanted.prompt_tokens) // max(1, wanted.answers)

    def _least_beside(self, resident: Resident) -> int:
        """Bytes of this model without KV caches, and of what is never evicted for it."""
        pinned = (
            one.least_base
            for one in self._ledger.residents
            if one is not resident and one.card.is_pinned and not one.is_leaving
        )
        return resident.base + sum(pinned)

    def _fits_beside_claims(self, lease: PendingLease, growth: AnswerGrowth) -> bool:
        """Whether it would fit alone now: it may have to wait until work beside the models has ended."""
        resident, wanted = lease.resident, growth.wanted
        if not (resident and wanted):
            return True
        tokens = min(wanted.tokens, self._most_alone(resident, wanted))
        kv = wanted.kv_tokens(tokens) * resident.kv_per_token
        return self._least_beside(resident) + kv + self._ledger.claimed <= self._ledger.limit

    def _slices_before(self, lease: PendingLease) -> int:
        """Bytes that the older requests want next: without them, one that goes on is paused again at once."""
        return sum(
            one.answers.count * _SLICE_TOKENS * one.resident.kv_per_token
            for one in self._leases
            if self._is_older(one, lease)
            and one.growth
            and one.growth.state == "running"
            and one.resident
            and one.answers
        )

    def _kept_for(self, lease: PendingLease) -> int:
        """Bytes that stay however much is shed, evicted and paused for this lease."""
        kept = self._ledger.claimed
        for resident in self._ledger.residents:
            if resident.is_evictable or (resident.is_leaving and not resident.leases):
                continue
            younger = sum(one.held_bytes for one in self._younger_on(resident, lease))
            kv = resident.kv_reserved - younger
            kept += resident.base + resident.promised
            # What a worker holds beyond that goes with the sequences that are paused.
            kept += kv if younger else max(kv, resident.runner.memory.kv)
        return kept

    def _younger_on(self, resident: Resident, lease: PendingLease) -> list[PendingLease]:
        """The younger leases of a model that run, or are pausing."""
        return [
            one
            for one in self._leases
            if one.resident is resident
            and self._is_older(lease, one)
            and one.growth
            and one.growth.state in ("running", "pausing")
        ]

    def _make_space(self, lease: PendingLease, need: int) -> None:
        """Drop adapters, shed, evict and pause for this lease, unless that is in progress or not enough."""
        residents = self._ledger.residents
        missing = need - self._ledger.free - sum(one.coming_free for one in residents)
        if missing <= 0:
            return
        why = f"needed {in_gb(need)} for a running answer of {lease.card.id}"
        idle_loras = sum(sum(one.idle_loras().values()) for one in residents)
        self._unloader.drop_loras(residents, "", min(missing, idle_loras), why)
        missing -= idle_loras
        if missing <= 0:
            return
        evictable = self._ledger.evictable(self._clock(), self._options.min_residency_s)
        plan = eviction.plan_eviction(residents, evictable, missing)
        pauses: list[PendingLease] = []
        if not plan.is_enough:
            rest = missing - sum(amount for _, amount in plan.sheds) - sum(one.bytes for one in plan.victims)
            for one in reversed(self._leases):
                if rest > 0 and self._is_older(lease, one) and one.growth and one.growth.can_pause:
                    pauses += [one] if one.held_bytes else []
                    rest -= one.held_bytes
            if rest > 0:
                return
        self._unloader.apply(plan, why, need)
        for one in pauses:
            one.ask_to_pause()

    def _break_stalemate(self) -> None:
        """Cut the youngest paused request short if nothing moves that could let any of them go on."""
        if not self._leases or self._ledger.claimed:  # a claim ends
            return
        if any(
            not (one.growth and one.growth.state == "paused" and one.growth.wanted) for one in self._leases
        ):
            return
        for resident in [one for one in self._ledger.residents if not one.card.is_remote]:
            has_others = resident.leases > sum(one.resident is resident for one in self._leases)
            is_moving = (
                resident.state == ModelState.LOADING or resident.coming_free or not resident.is_settled
            )
            if has_others or is_moving:
                return
        self._cut_short(self._leases[-1], "paused answers of several models keep each other from going on")

    def _cut_short(self, lease: PendingLease, why: str) -> None:
        self._record("cut_short", lease, why)
        lease.cut_short()

    def _record(self, kind: str, lease: PendingLease, why: str) -> None:
        participles = {"paused": "paused", "resumed": "resumed", "cut_short": "cut short"}
        text = f"{participles[kind]} a request for {lease.card.id}: {why}; {self._ledger}"
        self._decisions.record(kind, lease.card.id, text, needed_bytes=lease.held_bytes)
