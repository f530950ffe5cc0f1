"""The parts of a prompt that are prefilled one after the other."""

from typing import NamedTuple

from inference.worker.engine.sequence import Sequence
from inference.worker.prefix_cache.cache import boundaries


class Segments(NamedTuple):
    """The tokens that are left to compute, in parts, and where between them caches are stored or shared.

    `stops` are positions of the prompt. Other edges are those of pictures that are computed in one pass.
    """

    parts: list[list[int]]
    stops: frozenset[int]


def segments_of(sequence: Sequence, known: int, *, has_checkpoints: bool, has_copies: bool) -> Segments:
    """The parts of the tokens after the first `known` ones."""
    tokens, cuts = sequence.known, set[int]()
    if has_checkpoints:
        cuts = {*boundaries(tokens, sequence.stop_ids), *sequence.checkpoints}
    cuts |= {len(tokens) - 1} if has_copies else set()
    wholes = sequence.pictures.wholes if sequence.pictures else []
    edges = {edge for whole in wholes for edge in whole} | cuts
    inner = sorted(edge for edge in edges if known < edge < len(tokens))
    pairs = zip([known, *inner], [*inner, len(tokens)], strict=True)
    return Segments([tokens[start:end] for start, end in pairs], frozenset(cuts))
