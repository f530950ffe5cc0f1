"""Sequences whose pictures are looked at before their prompt is prefilled."""

from collections import deque
from typing import TYPE_CHECKING

import mlx.core as mx

from inference.worker.prefix_cache.cache import CachedPrefix
from inference.worker.vision.feature_cache import FeatureCache
from inference.worker.vision.rows import PictureRow
from inference.worker.vision.seen import VisionFamily

if TYPE_CHECKING:
    from inference.worker.engine.sequence import Sequence


class Looking:
    """One prompt's pictures on their way through the tower, one in each step.

    `sequences` answer the prompt; `found` is the stored prefix that they begin with. Pictures inside it are
    not looked at, and those whose features are kept are ready at once.
    """

    def __init__(
        self,
        sequences: "tuple[Sequence, ...]",
        found: CachedPrefix | None,
        vision: VisionFamily | None,
        kept: FeatureCache,
    ) -> None:
        self.sequences = sequences
        self.found = found
        self.row = PictureRow(sequences[0].pictures) if sequences[0].pictures else None
        self._owner = sequences[0].owner
        self._vision = vision
        self._kept = kept
        self._left = deque[int]()
        known = found.length if found else 0
        for number, one in enumerate(self.row.pictures.placed if self.row else ()):
            if one.end > known:
                self._left.append(number)

    @property
    def is_done(self) -> bool:
        """Whether all of its pictures were looked at; takes those whose features are kept."""
        while self.row and self._left:
            number = self._left[0]
            features = self._kept.get(self._owner, self.row.pictures.placed[number].seen.digest)
            if features is None:
                return False
            self.row.features[number] = features
            self._left.popleft()
        return True

    @property
    def bytes(self) -> int:
        features = self.row.features.values() if self.row else ()
        return sum(one.nbytes for one in features)

    def step(self) -> None:
        """Look at the next picture."""
        if self.is_done or self.row is None or self._vision is None:
            return
        number = self._left.popleft()
        seen = self.row.pictures.placed[number].seen
        features = self._vision.look(seen)
        mx.eval(features)
        mx.clear_cache()
        self.row.features[number] = features
        self._kept.put(self._owner, seen.digest, features)
