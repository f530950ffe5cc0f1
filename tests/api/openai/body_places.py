"""Every place in a body, and bodies with another value in one place."""

from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]


def paths(value: Any, above: Path = ()) -> Iterator[Path]:
    """Every place in a body."""
    inside: Any = value.items() if isinstance(value, dict) else enumerate(value)
    for step, below in inside:
        yield (*above, step)
        if isinstance(below, dict | list):
            yield from paths(below, (*above, step))


def replaced(body: Any, path: Path, value: Any) -> Any:
    """A copy with another value in one place."""
    if not path:
        return value
    copy = dict(body) if isinstance(body, dict) else list(body)
    copy[path[0]] = replaced(body[path[0]], path[1:], value)  # type: ignore[index]
    return copy
