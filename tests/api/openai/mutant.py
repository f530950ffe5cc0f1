"""Changes of the server for one field: it is taken and ignored, or it changes what it should not."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_CHANGED = ("names", "_is_noted", "_by_own_name")


@contextmanager
def restored(strict: Any) -> Iterator[None]:
    """Undo the changes of the block, so that one process can make one after the other."""
    before = {name: vars(strict)[name] for name in _CHANGED}
    try:
        yield
    finally:
        for name, method in before.items():
            setattr(strict, name, method)


def leave(strict: Any, owner: str, field: str) -> None:
    """Change nothing."""


def forget(strict: Any, owner: str, field: str) -> None:
    """Have bodies of the class named `owner` take the field and ignore it."""
    names, is_noted = strict.names.__func__, strict._is_noted.__func__

    def fewer_names(cls: Any) -> set[str]:
        return set(names(cls)) - ({field} if cls.__name__ == owner else set())

    def is_noted_yet(cls: Any, name: str, value: Any, info: Any) -> bool:
        return (cls.__name__, name) != (owner, field) and bool(is_noted(cls, name, value, info))

    strict.names = classmethod(fewer_names)
    strict._is_noted = classmethod(is_noted_yet)


def act(strict: Any, owner: str, field: str) -> None:
    """Where bodies of the class named `owner` have the field, change another one: the first that can be."""
    by_own_name = strict._by_own_name.__func__

    def changed(cls: Any, data: Any) -> Any:
        fields, sent_as = by_own_name(cls, data)
        if cls.__name__ == owner and fields.get(field) is not None:
            fields = _changed(fields, [name for name in fields if name in cls.names() and name != field])
        return fields, sent_as

    strict._by_own_name = classmethod(changed)


def _changed(fields: dict[str, Any], others: list[str]) -> dict[str, Any]:
    """With another value of one of the others; where none has a plain value, one is left out.

    What is not read beside something else, or says of which kind an object is, is the last to be chosen.
    """
    last = ("encrypted_content", "id", "status", "role", "type")
    plain = [name for name in others if isinstance(fields[name], (str, int))]
    composed = [name for name in others if name not in plain]
    chosen = ([name for name in plain if name not in last] or composed or sorted(plain, key=last.index))[:1]
    if chosen and chosen[0] in plain:
        return fields | {chosen[0]: _other(fields[chosen[0]])}
    return {name: value for name, value in fields.items() if name not in chosen}


def _other(value: Any) -> Any:
    return not value if isinstance(value, bool) else value + 1 if isinstance(value, int) else value + "x"
