"""A client and what it needs: texts with placeholders, and how the values of a site are put into them."""

import json
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any, Literal

import yaml
from msgspec import Struct

Dialect = Literal["chat", "responses", "messages"]
Syntax = Literal["shell", "python", "javascript", "json", "toml", "yaml", "text"]
NO_KEY = "not-needed"  # sent by clients that insist on a key, to a site that needs none
_LONGEST_ANSWER = 32_000
# `<base>`, with the literal text before it that is quoted together with the value: `<openai/model>`.
_PLACEHOLDER = re.compile(
    r"<(?P<before>[A-Za-z: ]+[ /])?"
    r"(?P<name>origin|base|container|key|model|context|answer|sees)(?::(?P<quoting>\w+))?>"
)
_PLAIN_YAML = re.compile(r"[A-Za-z][\w./:-]*")
_LOOPBACK = re.compile(r"^(https?://)(?:127\.0\.0\.1|localhost|\[::1\])(?=[:/])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class UnusableValue(ValueError):
    """A value that has a character which no file of a client can contain."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The {name} has a control character, which clients cannot use.")


class Values(Struct, frozen=True, kw_only=True):
    """What is filled in: the site's address without a path, a key, and a model with its context in tokens."""

    origin: str
    key: str = NO_KEY
    model: str
    context: int
    sees: bool = False  # the model takes pictures

    def __post_init__(self) -> None:
        for name in ("origin", "key", "model"):
            if _CONTROL.search(getattr(self, name)):
                raise UnusableValue(name)

    @property
    def base(self) -> str:
        """The base address of OpenAI's dialects."""
        return f"{self.origin}/v1"

    @property
    def container(self) -> str:
        """The base address as a container on the same machine reaches it."""
        return _LOOPBACK.sub(r"\1host.docker.internal", self.base)

    @property
    def answer(self) -> int:
        """The tokens that a client should keep for an answer, where it asks for a number."""
        return max(1, min(_LONGEST_ANSWER, self.context // 4))


class SettingsBlock(Struct, frozen=True, kw_only=True):
    """One block of what a client needs; with a `path` it belongs into that file of the user's home folder.

    Of a file that is there, the settings named in `keeps` stay as they are.
    """

    title: str
    syntax: Syntax
    text: str
    path: str = ""
    keeps: tuple[str, ...] = ()

    def filled(self, values: Values) -> str:
        """The text with the values, each written as the syntax of the block wants it."""

        def written(found: "re.Match[str]") -> str:
            value = getattr(values, found["name"])
            if isinstance(value, bool):
                return "true" if value else "false"
            if isinstance(value, int):
                return str(value)
            return _QUOTINGS[found["quoting"] or self.syntax]((found["before"] or "") + value)

        return _PLACEHOLDER.sub(written, self.text)


class ConnectableClient(Struct, frozen=True, kw_only=True):
    """A program that can use this server. `section` is its heading in docs/clients.md."""

    name: str  # as the command takes it
    title: str
    section: str
    dialect: Dialect
    parts: tuple[SettingsBlock, ...]
    note: str = ""

    @property
    def files(self) -> tuple[SettingsBlock, ...]:
        """The parts that can be written to files."""
        return tuple(part for part in self.parts if part.path)


def _json(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _json_in_quotes(value: str) -> str:
    """A JSON string inside a shell's single quotes."""
    return _json(value).replace("'", "'\\''")


def _yaml(value: str) -> str:
    is_plain = _PLAIN_YAML.fullmatch(value) and _loaded(value) == value
    return value if is_plain else _json(value)


def _loaded(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


_QUOTINGS: Mapping[str, Callable[[str], str]] = {
    "shell": shlex.quote,
    "quoted": _json_in_quotes,
    "python": _json,
    "javascript": _json,
    "json": _json,
    "toml": _json,
    "yaml": _yaml,
    "text": str,
}
