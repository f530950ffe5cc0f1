"""What all parts of the pool read and write: the memory ledger, the decisions and the measurements."""

from collections.abc import Callable
from dataclasses import dataclass, field

from inference.pool.residency.answer_lengths import AnswerLengths
from inference.pool.residency.crash_backoff import CrashBackoffs
from inference.pool.residency.decision_log import DecisionLog
from inference.pool.residency.durations import Durations
from inference.pool.residency.memory_ledger import MemoryLedger


@dataclass(frozen=True)
class PoolRecords:
    """The shared data of one pool; `clock` is monotonic, in seconds."""

    ledger: MemoryLedger
    decisions: DecisionLog
    clock: Callable[[], float]
    durations: Durations = field(default_factory=Durations)
    lengths: AnswerLengths = field(default_factory=AnswerLengths)
    backoffs: CrashBackoffs = field(default_factory=CrashBackoffs)
