"""Whether a tokenizer decodes texts to what was encoded, and the repair of decoders that do not.

Some published conversions have a byte-level vocabulary with a SentencePiece decoder: every space of an answer
is then "Ġ" (https://github.com/ml-explore/mlx-lm/issues/1041).
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from tokenizers import decoders

from inference.core.model_card import Finding

PLAIN = "Hello, world! It is 12345."
# Repeated spaces, digits, accents, characters beyond the basic plane, scripts without spaces, line breaks.
RICH = "naïve  café, 3.14159 №7 — “déjà vu” 日本語の文 한국어 العربية 🙂👩‍👩‍👧 {x:\ty}\n\n  end"
_LONGEST_SHOWN = 40


def repair_decoder(rust: Any) -> None:
    """Replace the decoder of a `tokenizers.Tokenizer` if another one fits its vocabulary better."""
    own = rust.decoder
    if _round_trips(rust, PLAIN + RICH):
        return
    for decoder in _candidate_decoders(rust):
        rust.decoder = decoder
        if _round_trips(rust, PLAIN + RICH):
            return
    rust.decoder = own


def findings(rust: Any) -> tuple[Finding, ...]:
    """What a text loses in this tokenizer, for the model's owner."""
    if not _round_trips(rust, PLAIN):
        returned = _shown(_round_trip(rust, PLAIN))
        text = f"Its tokenizer changes plain text: {_shown(PLAIN)} comes back as {returned}."
        return (Finding(light="red", about="tokenizer", text=text),)
    if not _round_trips(rust, RICH):
        lost = [word for word in re.findall(r"\S+|\s{2,}", RICH) if not _round_trips(rust, word)]
        named = ", ".join(map(_shown, lost[:3])) or "spaces in a row"
        text = f"Its tokenizer loses some characters: {named} do not come back."
        return (Finding(light="amber", about="tokenizer", text=text),)
    return ()


def _candidate_decoders(rust: Any) -> Iterator[Any]:
    """Decoders for all kinds of vocabulary; the pre-tokenizer decides which one comes first."""
    piece = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    pieces = [decoders.Sequence([*piece, decoders.Strip(" ", 1, 0)]), decoders.Sequence(piece)]
    if "ByteLevel" in repr(rust.pre_tokenizer):
        yield from (decoders.ByteLevel(), *pieces)
    else:
        yield from (*pieces, decoders.ByteLevel())


def _round_trips(rust: Any, text: str) -> bool:
    """Whether the text comes back, except for a leading space and the composition of accents."""
    return _composed(_round_trip(rust, text)) == _composed(text)


def _round_trip(rust: Any, text: str) -> str:
    ids = rust.encode(text, add_special_tokens=False).ids
    return str(rust.decode(ids, skip_special_tokens=False))


def _composed(text: str) -> str:
    return unicodedata.normalize("NFKC", text.removeprefix(" "))


def _shown(text: str) -> str:
    return repr(text[:_LONGEST_SHOWN] + ("…" if len(text) > _LONGEST_SHOWN else ""))
