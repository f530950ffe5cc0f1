"""A lark grammar or a regular expression of a text, rewritten for that text inside a JSON string.

Custom tools have such a grammar for their input, and most models write the input as a JSON string: a line
break is `\\n` there and a quote `\\"`. Every literal and every pattern is rewritten. The rules become
terminals, that is one regular expression: where a rule ends, llguidance's lexer would have to look two
characters ahead. A grammar with rules that lead back to themselves is therefore not enforced.
https://github.com/guidance-ai/llguidance/blob/main/docs/syntax.md
"""

import json
import re
import warnings
from collections.abc import Iterable, Sequence
from re import _constants as codes
from re import _parser as regex_parser
from typing import Any

from inference.adapters.tool_calls.code_points import LAST, complement, holds, other_cases, ranges_of, without
from inference.adapters.tool_calls.grammar_rules import Unwritable

_TOKEN = re.compile(
    r"(?m)"
    r'(?P<text>"(?:[^"\\\n]|\\.)*")(?P<text_flags>i?)'
    r"|(?P<comment>(?://|\#)[^\n]*)"
    r"|(?P<pattern>/(?!/)(?:[^/\\\n]|\\.)+/)(?P<flags>[imslux]*)"
    r"|(?P<import>%import[ \t]+common\.(?P<imported>\w+)[^\n]*)"
    r"|(?P<directive>%\w+)"
    r"|(?P<alias>->[ \t]*\w+)"
    r"|(?P<mark>^[?!]|\.-?\d+(?=[ \t]*:))"  # how a parser builds its tree
    r"|(?P<name>[a-zA-Z_]\w*)"
)
_COMMON = {
    "LF": r"\n",
    "CR": r"\r",
    "NEWLINE": r"(\r?\n)+",
    "WS": r"[ \t\f\r\n]+",
    "WS_INLINE": r"[ \t]+",
    "DIGIT": r"[0-9]",
    "HEXDIGIT": r"[a-fA-F0-9]",
    "INT": r"[0-9]+",
    "SIGNED_INT": r"[+\-]?[0-9]+",
    "DECIMAL": r"[0-9]+\.[0-9]*|\.[0-9]+",
    "FLOAT": r"[0-9]+[eE][+\-]?[0-9]+|([0-9]+\.[0-9]*|\.[0-9]+)([eE][+\-]?[0-9]+)?",
    "NUMBER": r"[0-9]+(\.[0-9]*)?([eE][+\-]?[0-9]+)?",
    "LETTER": r"[a-zA-Z]",
    "LCASE_LETTER": r"[a-z]",
    "UCASE_LETTER": r"[A-Z]",
    "WORD": r"[a-zA-Z]+",
    "CNAME": r"[a-zA-Z_][a-zA-Z0-9_]*",
    "ESCAPED_STRING": r'"([^"\\\n]|\\.)*"',
}
# Characters that JSON writes with a backslash. The other control characters are in no text of a model.
_ESCAPES = {'"': r"\"", "\\": r"\\", "\n": r"\n", "\t": r"\t", "\r": r"\r", "\f": r"\f", "\b": r"\b"}


def escaped_terminals(syntax: str, definition: str, prefix: str) -> str:
    """Rules for the inside of a JSON string, of which `{prefix}START` is the first; raises Unwritable."""
    if syntax == "regex":
        return f"{prefix}START: {_slashed(escaped_regex(definition))}"
    return _TOKEN.sub(lambda found: _rewritten(found, prefix), definition)


def escaped_regex(pattern: str) -> str:
    """The pattern for the inside of a JSON string; raises Unwritable."""
    return _Escaper(pattern).written


def _rewritten(found: re.Match[str], prefix: str) -> str:
    """One token of a lark grammar, rewritten."""
    if found["name"] is not None:
        return prefix + found["name"].upper()
    if found["text"] is not None:
        return _literal(_text(found["text"]), "(?i)" if found["text_flags"] else "")
    if found["pattern"] is not None:
        flags = f"(?{found['flags'].replace('l', '').replace('u', '')})" if found["flags"] else ""
        return _slashed(escaped_regex(flags.replace("(?)", "") + found["pattern"][1:-1].replace(r"\/", "/")))
    if found["import"] is not None:
        if found["imported"] not in _COMMON:
            raise Unwritable(f"the grammar imports {found['imported'][:64]!r}, which is not known here")
        return f"{prefix}{found['imported']}: {_slashed(escaped_regex(_COMMON[found['imported']]))}"
    if found["directive"] is not None:
        raise Unwritable(f"the grammar's {found['directive'][:64]} cannot be enforced")
    return ""  # comments, and marks for the tree that a parser would build


def _text(quoted: str) -> str:
    try:
        return str(json.loads(quoted))
    except ValueError:
        raise Unwritable(f"the grammar's text {quoted[:64]} is not one of JSON") from None


def _literal(text: str, flags: str) -> str:
    return _slashed(escaped_regex(flags + re.escape(text))) if text else '""'


def _slashed(pattern: str) -> str:
    return "/" + pattern.replace("/", r"\/") + "/"


class _Escaper:
    """Rewrites one regular expression; `written` is the result."""

    def __init__(self, pattern: str) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                parsed = regex_parser.parse(pattern)
        except (re.error, OverflowError, RecursionError):
            raise Unwritable(
                "a regular expression of the grammar is not valid, or of a kind not known here"
            ) from None
        flags = parsed.state.flags
        self._dot_is_all = bool(flags & re.DOTALL)
        self._ignores_case = bool(flags & re.IGNORECASE)
        self.written = self._sequence(parsed)

    def _sequence(self, nodes: Iterable[tuple[Any, Any]]) -> str:
        return "".join(self._node(code, value) for code, value in nodes)

    def _node(self, code: Any, value: Any) -> str:
        if code is codes.LITERAL:
            return self._set([(value, value)])
        if code is codes.NOT_LITERAL:
            return self._set(complement([(value, value)]))
        if code is codes.ANY:
            return self._set([(0, LAST)] if self._dot_is_all else complement([(10, 10)]))
        if code is codes.IN:
            return self._set(ranges_of(value))
        if code is codes.BRANCH:
            return "(" + "|".join(self._sequence(branch) for branch in value[1]) + ")"
        if code is codes.SUBPATTERN:
            return f"({self._sequence(value[3])})"
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            low, high, inner = value
            most = "" if high is codes.MAXREPEAT else str(high)
            return f"({self._sequence(inner)}){{{low},{most}}}"
        if code is codes.AT and value in (codes.AT_BEGINNING, codes.AT_END, codes.AT_BEGINNING_STRING):
            return ""  # a terminal is matched as a whole
        raise Unwritable("a regular expression of the grammar looks around or back, which is not enforced")

    def _set(self, ranges: Sequence[tuple[int, int]]) -> str:
        """Any of these characters, each as JSON writes it."""
        if self._ignores_case:
            ranges = [*ranges, *other_cases(ranges)]
        escaped = [text for char, text in _ESCAPES.items() if holds(ranges, ord(char))]
        plain = without(ranges, [(0, 0x1F), (34, 34), (92, 92), (0xD800, 0xDFFF)])
        choices = [re.escape(text) for text in escaped]
        if plain:
            choices.insert(0, "[" + "".join(map(_range, plain)) + "]")
        if not choices:
            raise Unwritable("the grammar asks for a character that JSON has no short way to write")
        return choices[0] if len(choices) == 1 else f"({'|'.join(choices)})"


def _range(pair: tuple[int, int]) -> str:
    first, last = (f"\\x{{{one:x}}}" for one in pair)
    return first if pair[0] == pair[1] else f"{first}-{last}"
