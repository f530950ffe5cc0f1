"""Names that people choose, inside of sentences: those of Arabic or Hebrew turn the text around them."""

import unicodedata

_TURNING = {"R", "AL", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "FSI"}
_ISOLATE, _END = "\u2068", "\u2069"


def isolated(name: str) -> str:
    """The name as it is; one that turns the text comes between two marks that isolate it."""
    is_turning = any(unicodedata.bidirectional(sign) in _TURNING for sign in name)
    return f"{_ISOLATE}{name}{_END}" if is_turning else name
