"""Text as search compares it: without case, accents and compatibility forms.

`É`, `é` and `e` are one letter, `Straße` is `strasse`, and the full-width `Ａ` is `a`. Marks that make
another letter stay: the Japanese `が` is not `か`. The database folds with the same function (`SQL_NAME`), so
its index and a query agree on every character.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

SQL_NAME = "playground_fold"
_DIACRITICS = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c7\u064b-\u0652\u0670\u0640]"
)
_MARKS = "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c7\u064b-\u0652\u0670\u3099\u309a"
# What may change: capitals, decomposed Hangul, and every character outside of ASCII, kana, CJK and Hangul, or
# before a mark. All else is copied without a look.
_PARTS = re.compile(
    "[A-Z]+(?![" + _MARKS + "])"
    "|[\u1100-\u115f][\u1160-\u11ff]*"
    "|[^\x01-\x7f\u3041-\u3096\u30a1-\u30fa\u3400-\u9fff\uac00-\ud7a3][" + _MARKS + "]*"
    "|.[" + _MARKS + "]+",
    re.DOTALL,
)
# Each of these but the capitals of ASCII is its own fold. Only the others are looked at, unless what is
# `_NOT_ALONE` is in the text: most messages of models have few of them, such as an ellipsis.
_SIMPLE = (
    "\x01-\x7f\xa1-\xa7\xab\xb0\xb1\xb7\xbb\xbf\xd7\xf7"
    "\u03b1-\u03c1\u03c3-\u03c9\u0430-\u0438\u043a-\u044f"
    "\u05d0-\u05ea\u060c-\u063f\u0641-\u064a\u0679-\u06ff\u0900-\u0957\u0960-\u097f\u0e01-\u0e32\u0e34-\u0e5b"
    "\u200b-\u2010\u2012-\u2016\u2018-\u2023\u20ac\u2190-\u2199\u21d0-\u2203\u2212\u2263-\u2267\u2500-\u27bf"
    "\u3001-\u3035\u3041-\u3096\u30a1-\u30fa\u30fb-\u30fe\u3400-\u9fff\uac00-\ud7a3\ufe0f\U0001f252-\U0001faff"
)
_OTHERS = re.compile(f"[^{_SIMPLE}]")
# Marks and parts of Hangul are folded with what they stand beside; a folded Cherokee letter is a capital.
_NOT_ALONE = re.compile(f"[{_MARKS}\\u1100-\\u11ff\\u13a0-\\u13ff\\uab70-\\uabbf]")
_ASCII = bytes(range(1, 128))
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "\0": " "})


def fold(text: str) -> str:
    """The text as it is compared."""
    if _is_plain(text):
        return text.lower()
    content = _bytes(text)
    others = set(_OTHERS.findall(_text(content.translate(None, _ASCII))))
    if _NOT_ALONE.search("".join(others)):
        return _PARTS.sub(lambda part: _fold_part(part[0]), text)
    content = content.lower()  # of bytes that is for ASCII alone, and fast
    for other in others:  # what has been folded is not changed by folding it again
        content = content.replace(_bytes(other), _bytes(_fold_part(other)))
    return _text(content)


def register(sender: Any = None, connection: Any = None, **signal: Any) -> None:
    """Give a new database connection the function `SQL_NAME`, which the triggers of the index call."""
    if connection.vendor == "sqlite":
        connection.connection.create_function(SQL_NAME, 1, _fold_value, deterministic=True)


class FoldedText:
    """A folded text, and where each part of it is in the original."""

    def __init__(self, original: str) -> None:
        self._length = len(original)
        self._folded_starts, self._starts, self._is_copied = [0], [0], [True]
        pieces: list[str] = []
        end = length = 0
        for part in _parts_of(original):
            pieces.append(original[end : part.start()].lower())
            length += len(pieces[-1])
            self._add(length, part.start(), is_copied=False)
            pieces.append(_fold_part(part[0]))
            length += len(pieces[-1])
            end = part.end()
            self._add(length, end, is_copied=True)
        self.text = "".join((*pieces, original[end:].lower()))

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Where `text[start:end]` is in the original; a letter that was folded to several counts whole."""
        first = bisect_right(self._folded_starts, start) - 1
        last = bisect_right(self._folded_starts, end - 1) - 1
        begin = self._starts[first] + (start - self._folded_starts[first]) * self._is_copied[first]
        if self._is_copied[last]:
            return begin, self._starts[last] + end - self._folded_starts[last]
        return begin, self._starts[last + 1] if last + 1 < len(self._starts) else self._length

    def _add(self, folded_start: int, start: int, *, is_copied: bool) -> None:
        self._folded_starts.append(folded_start)
        self._starts.append(start)
        self._is_copied.append(is_copied)


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def _text(content: bytes) -> str:
    return content.decode(errors="surrogatepass")


def _parts_of(text: str) -> Iterator["re.Match[str]"]:
    """The parts of a text whose fold is more than their small letters."""
    if _is_plain(text):
        return iter(())
    return (_PARTS if _NOT_ALONE.search(text) else _OTHERS).finditer(text)


def _is_plain(text: str) -> bool:
    return text.isascii() and "\0" not in text


def _fold_value(text: object) -> object:
    return fold(text) if isinstance(text, str) else text


@lru_cache(maxsize=4096)
def _fold_part(part: str) -> str:
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", part).casefold())
    bare = _DIACRITICS.sub("", decomposed)
    return unicodedata.normalize("NFKC", bare).translate(_LETTERS)
