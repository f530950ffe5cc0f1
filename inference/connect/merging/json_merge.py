"""Settings put into a text of JSON: objects are joined, all other values are replaced."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from inference.connect.merging import jsonc
from inference.connect.merging.errors import Unmergeable
from inference.connect.merging.jsonc import BrokenJson, JsonNode

_REST_OF_LINE = re.compile(r"[ \t]*(?://[^\n\r]*|/\*[^\n]*?\*/[ \t]*)?(?=\r?\n|$)")
_INDENT = re.compile(r"\n([ \t]+)\S")


def merged(text: str, settings: str, keeps: tuple[str, ...] = ()) -> str:
    """The text with the settings of another text; raises Unmergeable."""
    wanted, before = jsonc.read(settings).value, _read(text).value
    if not isinstance(before, dict):
        raise Unmergeable("It has no JSON object.")
    changed = text
    for path, value in _leaves(wanted):
        if path[0] not in keeps or path[0] not in before:
            changed = _with(changed, path, value)
    return changed


def _read(text: str) -> JsonNode:
    try:
        return jsonc.read(text)
    except BrokenJson as error:
        raise Unmergeable(f"It is not valid JSON: look at line {error.line}.") from None


def _leaves(value: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, inner in value.items():
        if isinstance(inner, dict) and inner:
            yield from _leaves(inner, (*path, key))
        else:
            yield (*path, key), inner


def _with(text: str, path: tuple[str, ...], value: Any) -> str:
    """The text with one value set; the objects on the way to it are made where they are missing."""
    node, depth = jsonc.read(text), 0
    while depth < len(path) - 1 and path[depth] in node.members:
        node, depth = node.members[path[depth]], depth + 1
        if not isinstance(node.value, dict):
            raise Unmergeable(f"Its setting {'.'.join(path[:depth])!r} is not an object.")
    for key in reversed(path[depth + 1 :]):
        value = {key: value}
    indent = _indent_of(text)
    written = json.dumps(value, indent=indent, ensure_ascii=False).replace("\n", "\n" + indent * (depth + 1))
    if old := node.members.get(path[depth]):
        same = old.value == value
        return text if same else text[: old.start] + written + text[old.end :]
    return _inserted(
        text, node, f"{json.dumps(path[depth], ensure_ascii=False)}: {written}", indent * depth, indent
    )


def _inserted(text: str, node: JsonNode, member: str, outer: str, indent: str) -> str:
    """The text with a member more at the end of an object."""
    if not node.members:
        return f"{text[: node.after_last]}\n{outer}{indent}{member}{_closing(text, node, outer)}"
    comma = "" if node.has_trailing_comma else ","
    first = text[node.start : next(iter(node.members.values())).start]
    if "\n" not in first:
        return f"{text[: node.after_last]}{comma} {member}{text[node.after_last :]}"
    rest = _REST_OF_LINE.match(text, node.after_last)
    place = rest.end() if rest else node.after_last
    last = "," if node.has_trailing_comma else ""
    behind = text[node.after_last : place]
    return f"{text[: node.after_last]}{comma}{behind}\n{outer}{indent}{member}{last}{text[place:]}"


def _closing(text: str, node: JsonNode, outer: str) -> str:
    """What follows the first member of an object that was empty but for comments."""
    inside = text[node.after_last : node.end - 1]
    kept = inside.rstrip() if inside.strip() else ""
    return f"{kept}\n{outer}{text[node.end - 1 :]}"


def _indent_of(text: str) -> str:
    found = _INDENT.search(text)
    return found[1] if found else "  "
