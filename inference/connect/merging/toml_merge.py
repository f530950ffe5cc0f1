"""Settings put into a text of TOML, line by line: a setting that has several lines is not replaced."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

from inference.connect.merging.errors import Unmergeable

_HEADER = re.compile(r"\s*\[\[?\s*(.+?)\s*\]\]?\s*(?:#.*)?$")
_SETTING = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=\s*(.+?)\s*$")
_VALUE = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|\{[^{}\n]*\}|\[[^\[\]\n]*\]|[^\s#"'\[{]+)"""
_TABLE = re.compile(r"\s*(?:\[|$)")


def merged(text: str, settings: str, keeps: tuple[str, ...] = ()) -> str:
    """The text with the settings of another text; raises Unmergeable."""
    expected = _read(text)
    lines = text.split("\n")
    for table, key, value in _settings(settings):
        if not table and key in keeps and key in expected:
            continue
        _set(expected, table, key, tomllib.loads(f"{key} = {value}")[key])
        _put(lines, table, key, value)
    changed = "\n".join(lines)
    if _parsed(changed) != expected:
        raise Unmergeable("It has these settings in another form, which you have to change yourself.")
    return changed


def _read(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Unmergeable(f"It is not valid TOML: {error}.") from None


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _settings(text: str) -> Iterator[tuple[str, str, str]]:
    """Each setting as table, key and value, all as they are written."""
    table = ""
    for line in text.splitlines():
        if header := _HEADER.match(line):
            table = header[1]
        elif setting := _SETTING.match(line):
            yield table, setting[1], setting[2]


def _set(values: dict[str, Any], table: str, key: str, value: Any) -> None:
    for name in table.split(".") if table else ():
        values = values.setdefault(name, {})
        if not isinstance(values, dict):
            raise Unmergeable(f"Its setting {name!r} is not a table.")
    values[key] = value


def _put(lines: list[str], table: str, key: str, value: str) -> None:
    """Replace the line of a setting, or add one."""
    start, end = _range_of(lines, table)
    pattern = re.compile(rf'(\s*"?{re.escape(key)}"?\s*=\s*){_VALUE}(\s*(?:#.*)?\r?)$')
    for number in range(start, end):
        if found := pattern.match(lines[number]):
            lines[number] = found[1] + value + found[2]
            return
    while end > start and not lines[end - 1].strip():
        end -= 1
    if not table:  # before everything, where no table has begun
        end = start + sum(1 for line in _leading_settings(lines))
    lines.insert(end, f"{key} = {value}")
    if not table and end + 1 < len(lines) and _TABLE.match(lines[end + 1]) and lines[end + 1].strip():
        lines.insert(end + 1, "")


def _leading_settings(lines: list[str]) -> Iterator[str]:
    """The one-line settings that a file begins with."""
    one_line = re.compile(rf"\s*[A-Za-z0-9_.\"-]+\s*=\s*{_VALUE}\s*(?:#.*)?\r?$")
    for line in lines:
        if not one_line.match(line):
            return
        yield line


def _range_of(lines: list[str], table: str) -> tuple[int, int]:
    """The lines of a table, which is added at the end where it is missing."""
    headers = [(number, found[1]) for number, line in enumerate(lines) if (found := _HEADER.match(line))]
    names = [(number, re.sub(r'[\s"\']', "", name)) for number, name in headers]
    starts = [number for number, name in names if name == table] if table else [-1]
    if not starts:
        while lines and not lines[-1].strip():
            lines.pop()
        lines += ["", f"[{table}]", ""] if lines else [f"[{table}]", ""]
        return len(lines) - 1, len(lines) - 1
    end = next((number for number, _ in names if number > starts[0]), len(lines))
    return starts[0] + 1, end
