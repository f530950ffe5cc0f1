"""A running checksum of what an engine has computed, by which ranks find that they differ."""

import struct
import zlib
from collections.abc import Iterable

from inference.worker.engine.sequence import Output, Prefilled, Sampled

_NUMBERS = struct.Struct("<4q")


class TokenDigest:
    """The checksum of all tokens, and of how far each prompt was computed, in their order."""

    def __init__(self) -> None:
        self.value = 0

    def add(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            if isinstance(output, Sampled):
                numbers = (0, output.id, output.token, int(output.finish is not None))
            elif isinstance(output, Prefilled):
                numbers = (1, output.id, output.done, output.cached)
            else:
                continue
            self.value = zlib.crc32(_NUMBERS.pack(*numbers), self.value)
