"""The parts of a prompt that are prefilled one after the other."""

from inference.worker.engine.sequence import Sequence
from inference.worker.prefix_cache.cache import boundaries


def segments_of(
    sequence: Sequence, known: int, *, has_checkpoints: bool, has_copies: bool
) -> list[list[int]]:
    """The tokens after the first `known` ones, split where the caches are to be stored or shared."""
    tokens, cuts = sequence.known, set[int]()
    if has_checkpoints:
        cuts = {*boundaries(tokens, sequence.stop_ids), *sequence.checkpoints}
    cuts |= {len(tokens) - 1} if has_copies else set()
    edges = [known, *sorted(cut for cut in cuts if known < cut < len(tokens)), len(tokens)]
    return [tokens[start:end] for start, end in zip(edges, edges[1:], strict=False)]
