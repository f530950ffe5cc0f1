"""Token ids that a client made of a text itself: whether they can be those of this model's tokenizer.

LangChain and others send the ids of OpenAI's tokenizers to whichever server they are pointed at. To another
model these are other texts, and its vectors would be wrong without an error.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from inference.core.errors import InvalidValue

if TYPE_CHECKING:
    from inference.worker.model.tokenizer import HubTokenizer

# Entries that vocabularies keep free: no text has them.
_FREE = re.compile(r"[\[<]\|?(unused|reserved|extra_id_|placeholder|dummy)[\w ]*\|?[\]>]", re.IGNORECASE)
_WAY_OUT = (
    "They were made by another tokenizer: send the text itself (LangChain's OpenAIEmbeddings does with "
    "check_embedding_ctx_length=False), or ids of this model from POST /v1/tokenize."
)


def check(row: Sequence[int], tokenizer: "HubTokenizer", vocab_size: int) -> None:
    """Raise InvalidValue where these ids cannot be what this tokenizer makes of a text.

    1. An id is beyond the vocabulary, or at a place where it has no token.
    2. An id is of an entry that no text has.
    3. The tokenizer puts tokens of its own around a text, these ids do not have them, and they are not what
       the tokenizer makes of the text that they stand for.
    """
    for token in dict.fromkeys(row):
        if not 0 <= token < vocab_size:
            _refuse(f"This model has no token {token}; its ids end at {vocab_size - 1}.")
        if tokenizer.is_missing(token):
            _refuse(f"This model has no token {token}.")
        if _FREE.fullmatch(text := tokenizer.token_text(token)):
            _refuse(f"No text has the token {token} of this model ({text[:32]}).")
    if not _is_whole(row, tokenizer) and tokenizer.encode(tokenizer.decode(row)) != list(row):
        _refuse("This model's tokenizer never produces these token ids.")


def _is_whole(row: Sequence[int], tokenizer: "HubTokenizer") -> bool:
    """Whether a row has what the tokenizer puts around a text, if it puts anything there."""
    before, after = tokenizer.frame
    return tuple(row[: len(before)]) == before and tuple(row[len(row) - len(after) :]) == after


def _refuse(reason: str) -> NoReturn:
    raise InvalidValue(f"{reason} {_WAY_OUT}", param="input")
