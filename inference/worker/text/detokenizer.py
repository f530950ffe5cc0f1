"""Incremental detokenization."""

from collections.abc import Sequence
from os.path import commonprefix
from typing import Protocol

_UNFINISHED = "\ufffd"
_LONGEST_CHARACTER = 4  # tokens; a character of UTF-8 has at most four bytes
_LONGEST_WINDOW = 12  # tokens


class TokenDecoder(Protocol):
    """What turning tokens into text needs of a tokenizer; ids it does not know have no text."""

    def decode(self, ids: Sequence[int]) -> str: ...


class Detokenizer:
    """Text of one token after another: what joins up equals decoding them all at once.

    A token's text depends on its neighbours, so it is decoded together with the few before it. Bytes of
    an unfinished character are held back, never more than four tokens. `context` are the tokens before
    the first, which give a continuation its leading space.
    """

    def __init__(self, tokenizer: TokenDecoder, context: Sequence[int] = ()) -> None:
        self._tokenizer = tokenizer
        self._before: list[int] = []  # the tokens of the last whole text
        self._text_before = ""
        self._pending: list[int] = []  # the tokens since
        self._given = ""  # what has been given out of their text
        self._begin_after(context)

    def feed(self, token: int) -> str:
        """The new text that `token` completes, empty while a character is unfinished."""
        self._pending.append(token)
        text = self._text()
        if not text.endswith(_UNFINISHED):
            return self._complete(text)
        is_unfinished = len(self._pending) < _LONGEST_CHARACTER
        known = text.rstrip(_UNFINISHED) if is_unfinished else text[:-1]
        new = known[len(self._given) :]
        self._given = known if new else self._given
        if len(self._pending) > _LONGEST_WINDOW:
            self._shorten()
        return new

    def flush(self) -> str:
        """What was held back, less the bytes of a character that never came."""
        return self._text().rstrip(_UNFINISHED)[len(self._given) :] if self._pending else ""

    def _begin_after(self, context: Sequence[int]) -> None:
        """Take the shortest end of `context` that has text and begins with a whole character."""
        for length in range(1, min(len(context), _LONGEST_WINDOW) + 1):
            tokens = list(context[-length:])
            text = self._tokenizer.decode(tokens)
            if text and _UNFINISHED not in text:
                self._before, self._text_before = tokens, text
                return

    def _text(self) -> str:
        """The text of the pending tokens."""
        whole = self._tokenizer.decode(self._before + self._pending)
        if whole.startswith(self._text_before):
            return whole[len(self._text_before) :]
        # A decoder with byte fallback takes back a whole run of bytes for one that does not fit.
        return self._tokenizer.decode(self._pending)

    def _complete(self, text: str) -> str:
        new = text[len(commonprefix([text, self._given])) :]
        # A token without text still matters to the next one: a first "▁" gives it its leading space.
        self._before = self._pending if text else (self._before + self._pending)[-_LONGEST_WINDOW:]
        self._text_before = self._tokenizer.decode(self._before)
        self._pending, self._given = [], ""
        return new

    def _shorten(self) -> None:
        """Forget the older half of a long run of nonsense: work and memory per token stay the same."""
        self._before, self._text_before = [], ""
        self._pending = self._pending[-_LONGEST_WINDOW // 2 :]
        self._given = self._text()[:-1]
