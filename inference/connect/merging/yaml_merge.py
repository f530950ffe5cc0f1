"""Settings put into a text of YAML: those of its first level, and items of lists that have names."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from inference.connect.merging.errors import Unmergeable

_OTHER_FORM = "It has these settings in another form, which you have to change yourself."
_KEY = re.compile(r"([A-Za-z0-9_-]+):(?:[ \t]|\r?$)")


def merged(text: str, settings: str, keeps: tuple[str, ...] = ()) -> str:
    """The text with the settings of another text; raises Unmergeable.

    An item of a list replaces the one of its name, or is added at the list's end.
    """
    before = _read(text)
    expected, lines = dict(before), text.split("\n")
    for key, block in _blocks(settings):
        value = yaml.safe_load("\n".join(block))[key]
        if key in keeps and key in before:
            continue
        if key in before and not _range_of(lines, key):
            raise Unmergeable(_OTHER_FORM)
        if isinstance(value, list):
            expected[key] = _joined(before.get(key) or [], value)
            _put_items(lines, key, block, before.get(key))
        else:
            expected[key] = value
            _put(lines, key, block)
    changed = "\n".join(lines)
    if _parsed(changed) != expected:
        raise Unmergeable(_OTHER_FORM)
    return changed


def _read(text: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        where = f": look at line {place.line + 1}" if place else ""
        raise Unmergeable(f"It is not valid YAML{where}.") from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise Unmergeable("It has no settings with names.")
    return found


def _parsed(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def _joined(there: Any, items: list[Any]) -> list[Any]:
    if not isinstance(there, list) or not all(isinstance(one, dict) for one in there):
        raise Unmergeable("It has a list of another form where these settings belong.")
    names = [one.get("name") for one in there]
    joined = list(there)
    for item in items:
        if item["name"] in names:
            joined[names.index(item["name"])] = item
        else:
            joined.append(item)
    return joined


def _blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each setting of the first level with its lines."""
    lines = text.rstrip("\n").split("\n")
    starts = [number for number, line in enumerate(lines) if _KEY.match(line)]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield lines[start].partition(":")[0], lines[start:end]


def _range_of(lines: list[str], key: str) -> tuple[int, int] | None:
    """The lines of a setting of the first level, without the blank ones and comments that follow it."""
    for start, line in enumerate(lines):
        if not re.match(rf"{re.escape(key)}:(?:[ \t]|\r?$)", line):
            continue
        end = last = start + 1
        while end < len(lines) and not re.match(r"[^\s#-]", lines[end]):
            end += 1
            if lines[end - 1].strip() and not lines[end - 1].startswith("#"):
                last = end
        return start, last
    return None


def _put(lines: list[str], key: str, block: list[str]) -> None:
    if found := _range_of(lines, key):
        comment = re.search(r"\s#[^\"']*$", lines[found[0]])
        lines[slice(*found)] = [block[0] + (comment[0] if comment else ""), *block[1:]]
    else:
        _append(lines, block)


def _append(lines: list[str], block: list[str]) -> None:
    while lines and not lines[-1].strip():
        lines.pop()
    lines += [*block, ""]


def _put_items(lines: list[str], key: str, block: list[str], there: Any) -> None:
    found = _range_of(lines, key)
    if not found:
        _append(lines, block)
        return
    if not there:
        lines[slice(*found)] = block
        return
    start, end = found
    dashes = [n for n in range(start + 1, end) if re.match(r"\s*- ", lines[n])]
    if not dashes:
        raise Unmergeable("Its list is written in one line, which you have to change yourself.")
    indent = lines[dashes[0]][: lines[dashes[0]].index("-")]
    items = [n for n in dashes if lines[n].startswith(f"{indent}- ")]
    own = [indent + line[2:] for line in block[1:]]
    name = yaml.safe_load("\n".join(block))[key][0]["name"]
    places = [n for n, item in zip(items, there, strict=True) if item.get("name") == name]
    if places:
        following = [n for n in items if n > places[0]]
        lines[places[0] : following[0] if following else end] = own
    else:
        lines[end:end] = own
