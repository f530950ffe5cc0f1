"""How a model writes calls, as reading them needs to know it; tool_formats.py has the manners."""

import re
from collections.abc import Mapping, Sequence
from typing import Protocol

from inference.core.requests import Tool


class CallPrefix:
    """What stands between the mark of a call and the first brace of its arguments.

    It is given as atoms, patterns of which none can match a part of another's text, so that a text can
    also be tested for being the beginning of a head.
    """

    def __init__(self, *atoms: str) -> None:
        self._whole = re.compile("".join(atoms))
        beginning = ""
        for atom in reversed(atoms):
            beginning = f"(?:{atom}{beginning})?"
        self._beginning = re.compile(beginning)

    def match(self, text: str) -> re.Match[str] | None:
        """The head that `text` begins with, up to the brace; its group `name` is the function's."""
        return self._whole.match(text)

    def may_become(self, text: str) -> bool:
        return self._beginning.fullmatch(text) is not None


class CallSyntax(Protocol):
    """How calls are written, as reading them needs it; tool_formats.py has the manners."""

    @property
    def begin(self) -> str: ...

    @property
    def other_begins(self) -> Sequence[str]:
        """Other marks that a model is known to write in its place."""
        ...

    @property
    def end(self) -> str: ...

    @property
    def is_bare(self) -> bool:
        """Whether a call may begin the answer without a mark."""
        ...

    @property
    def bare_begin(self) -> str:
        """What such a call begins with."""
        ...

    @property
    def is_in_thoughts(self) -> bool:
        """Whether models call while they think, with no mark that they have thought enough."""
        ...

    @property
    def heads(self) -> Sequence[CallPrefix]: ...

    @property
    def is_object(self) -> bool:
        """Whether name and arguments are members of a JSON object."""
        ...

    @property
    def closing(self) -> Sequence[str]:
        """What may follow the arguments, each once and in this order, with white space between."""
        ...

    @property
    def separator(self) -> str:
        """Which of `closing` is followed by another call."""
        ...

    @property
    def is_whole(self) -> bool:
        """Whether what stands between `begin` and `end` is only understood as a whole: XML, Python."""
        ...

    @property
    def ends_with_answer(self) -> bool:
        """Whether the end of the answer ends such a body as well as its mark."""
        ...

    @property
    def name_key(self) -> str:
        """What the name of a call is a member of its object under."""
        ...

    def named(self, held: str) -> str | None:
        """The name in the beginning of a call, behind its mark, once it is whole."""
        ...

    def may_become(self, body: str) -> bool:
        """Whether this can be the beginning of such a body."""
        ...

    def may_go_on(self, body: str, tools: Mapping[str, Tool]) -> bool:
        """Whether a body that is none yet, and is followed by its mark, may hold that mark in a string."""
        ...

    def mended(self, body: str, tools: Mapping[str, Tool]) -> Sequence[tuple[str, str]]:
        """The calls of a body with something forgotten, once the answer has ended; none: it is text."""
        ...

    def parse(self, body: str, tools: Mapping[str, Tool]) -> Sequence[tuple[str, str]]:
        """Name and JSON arguments of each call between `begin` and `end`; none: it is text after all."""
        ...

    def new_id(self) -> str: ...
