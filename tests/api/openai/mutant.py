"""Changes of the server for one field: it is taken and ignored, or it changes what it should not."""

from typing import Any


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
    """Where bodies of the class named `owner` have the field, change the first of the others that can be."""
    by_own_name = strict._by_own_name.__func__

    def changed(cls: Any, data: Any) -> Any:
        fields, sent_as = by_own_name(cls, data)
        if cls.__name__ == owner and fields.get(field) is not None:
            plain = [name for name in fields if name in cls.names() and isinstance(fields[name], (str, int))]
            first = [name for name in plain if name not in ("type", "role")] or plain
            fields |= {name: _other(fields[name]) for name in first[:1]}
        return fields, sent_as

    strict._by_own_name = classmethod(changed)


def _other(value: Any) -> Any:
    return not value if isinstance(value, bool) else value + 1 if isinstance(value, int) else value + "x"
