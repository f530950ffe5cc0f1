"""Incremental detokenization.

tokenizers' DecodeStream is not used: it raises "Invalid prefix encountered" for bytes that form no character
after byte fallback, and it holds back an endless run of such bytes.
"""

from collections.abc import Sequence
from os.path import commonprefix
from typing import Protocol

_UNFINISHED = "\ufffd"
_LONGEST_CHARACTER = 4  # tokens; a character of UTF-8 has at most four bytes
_LONGEST_WINDOW = 12  # tokens


class TokenDecoder(Protocol):
    """Decodes token ids to text; unknown ids have no text."""

    def decode(self, ids: Sequence[int]) -> str: ...


class Detokenizer:
    """Decodes one token after another; the joined text equals that of all tokens decoded at once.

    A token's text depends on its neighbours, so the detokenizer decodes a window:

    1. Decode the tokens of the last complete text together with the pending ones.
    2. The text after that of the former is new.
    3. If it ends in U+FFFD, its last bytes are an unfinished character: hold them back, for four tokens at
       most, since a character of UTF-8 has at most four bytes.
    4. Otherwise return it; the pending tokens become the window's beginning.

    `context` are the tokens before the first one, which give a continuation its leading space.
    """

    def __init__(self, tokenizer: TokenDecoder, context: Sequence[int] = ()) -> None:
        self._tokenizer = tokenizer
        self._before: list[int] = []  # tokens of the last complete text
        self._text_before = ""
        self._pending: list[int] = []  # tokens since then
        self._returned = ""  # the part of their text that has been returned
        self._set_context(context)

    def feed(self, token: int) -> str:
        """The new text that `token` completes; empty while a character is unfinished."""
        self._pending.append(token)
        text = self._text()
        if not text.endswith(_UNFINISHED):
            return self._complete(text)
        is_unfinished = len(self._pending) < _LONGEST_CHARACTER
        known = text.rstrip(_UNFINISHED) if is_unfinished else text[:-1]
        new = known[len(self._returned) :]
        self._returned = known if new else self._returned
        if len(self._pending) > _LONGEST_WINDOW:
            self._drop_older_half()
        return new

    def flush(self) -> str:
        """The text that was held back, without the bytes of an unfinished character."""
        return self._text().rstrip(_UNFINISHED)[len(self._returned) :] if self._pending else ""

    def _set_context(self, context: Sequence[int]) -> None:
        """Begin the window with the shortest end of `context` that has text and only whole characters."""
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
        # With byte fallback, one byte that does not fit turns a whole run of bytes into U+FFFD.
        return self._tokenizer.decode(self._pending)

    def _complete(self, text: str) -> str:
        new = text[len(commonprefix([text, self._returned])) :]
        # A token without text still matters to the next one: a first "▁" gives it its leading space.
        self._before = self._pending if text else (self._before + self._pending)[-_LONGEST_WINDOW:]
        self._text_before = self._tokenizer.decode(self._before)
        self._pending, self._returned = [], ""
        return new

    def _drop_older_half(self) -> None:
        """Drop the older half of a long run of invalid bytes, so that the work per token is bounded."""
        self._before, self._text_before = [], ""
        self._pending = self._pending[-_LONGEST_WINDOW // 2 :]
        self._returned = self._text()[:-1]
