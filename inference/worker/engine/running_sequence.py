"""A sequence that is being computed."""

from dataclasses import dataclass, field, replace

from inference.worker.engine.lane import Lane
from inference.worker.engine.sequence import Sequence
from inference.worker.prefix_cache.stored_prefix import Loan
from inference.worker.vision.rows import PictureRow

_FIRST_TOKENS = 3


@dataclass(eq=False)
class RunningSequence:
    """A sequence in the batch."""

    sequence: Sequence
    lane: Lane
    uid: int
    cached: int  # tokens that came from the prefix cache
    remaining: int  # tokens of the prompt that are still to be computed
    is_exact: bool = False  # computed alone, so that its seed gives the same tokens to the last bit
    copies: tuple[Sequence, ...] = ()  # of the same prompt; they wait for its caches
    tokens: list[int] = field(default_factory=list)  # sampled so far
    pictures: PictureRow | None = None  # whose features its prefill needs
    loan: Loan | None = None  # of the stored prefix that it began with
    stops: frozenset[int] = frozenset()  # of its prompt, where its caches are stored or shared

    def note_prefill(self, done: int, total: int, *, is_end: bool) -> None:
        """So many of the `total` prompt tokens that were left to compute are in its caches."""
        self.remaining = 0 if is_end else max(1, total - done)
        if is_end and self.pictures:
            self.pictures.features.clear()

    @property
    def is_at_stop(self) -> bool:
        return self._position in self.stops

    @property
    def picture_ahead(self) -> int:
        """How many tokens come next that are computed in one pass, because they are a picture."""
        wholes = self.sequence.pictures.wholes if self.sequence.pictures and self.remaining else ()
        return next((end - start for start, end in wholes if start == self._position), 0)

    @property
    def _position(self) -> int:
        """The tokens of its prompt that are in its caches."""
        return len(self.sequence.prompt) + len(self.sequence.answered) - self.remaining

    @property
    def is_decoding(self) -> bool:
        return self.remaining == 0

    @property
    def has_just_begun(self) -> bool:
        """Whether it has only its first tokens."""
        return not self.sequence.answered and len(self.tokens) < _FIRST_TOKENS

    @property
    def continuation(self) -> Sequence:
        """The same sequence, to be added again with the tokens sampled so far."""
        return replace(
            self.sequence,
            answered=(*self.sequence.answered, *self.tokens),
            max_tokens=self.sequence.max_tokens - len(self.tokens),
        )
