"""What stands between the marker of a call and the first brace of its JSON arguments."""

import re
from collections.abc import Sequence

SPACE = r"[ \t\r\n]{0,16}"


class CallPrefix:
    """A pattern for the prefix of a call that can also be tested against an incomplete text.

    It is given as atoms: patterns of which none can match a part of another's text. From the atoms a, b and c
    follow two patterns, `abc` for the whole prefix and `(a(b(c)?)?)?` for the beginning of one.
    """

    def __init__(self, *atoms: str) -> None:
        self._whole = re.compile("".join(atoms))
        beginning = ""
        for atom in reversed(atoms):
            beginning = f"(?:{atom}{beginning})?"
        self._beginning = re.compile(beginning)

    def match(self, text: str) -> re.Match[str] | None:
        """The prefix that `text` begins with, up to the brace; its group `name` is the function's."""
        return self._whole.match(text)

    def can_become(self, text: str) -> bool:
        """Whether `text` is the beginning of such a prefix."""
        return self._beginning.fullmatch(text) is not None


def chars(text: str) -> tuple[str, ...]:
    """The atoms of this text, an atom for each character, with white space before."""
    return (SPACE, *(re.escape(char) for char in text))


def member(key: str) -> tuple[str, ...]:
    """The atoms of the key of a JSON object's member and its colon."""
    return (SPACE, *f'"{key}"', *chars(":"), SPACE)


def name_between(quote: str) -> tuple[str, ...]:
    """The atoms of a function's name with this quote, which may be empty, on both sides."""
    return (quote, r'(?P<name>[^"\\\s\[\]{}]{1,64})', quote)


# Llama often writes a type before the name.
_TYPE = (*member("type"), *'"function"', *chars(","))


def object_prefixes(
    before: Sequence[str] = (), *, name: str = "name", firsts: Sequence[Sequence[str]] = ((), _TYPE)
) -> tuple[CallPrefix, ...]:
    """The prefixes of a JSON object with a name and arguments, in this order.

    `before` are the atoms in front of the object, `name` is the key of the function's name, and each of
    `firsts` are the atoms of a member that may come before it. Models use both keys for the arguments.
    """
    return tuple(
        CallPrefix(
            *before,
            *chars("{"),
            *first,
            *member(name),
            *name_between('"'),
            *chars(","),
            *member(key),
            r"\{",
        )
        for first in firsts
        for key in ("arguments", "parameters")
    )


# A single object, or the first one of a list.
LIST_PREFIXES = (*object_prefixes(), *object_prefixes(chars("[")))
