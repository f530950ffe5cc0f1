"""Objects of several kinds, distinguished by their `type`."""

from typing import Any

from pydantic import BeforeValidator, Discriminator

from inference.api.http.strict_schema import unsupported_type


def kind_in(value: Any) -> Any:
    """The type that an object says it is of, as it was sent or as it was read."""
    return value.get("type") if isinstance(value, dict) else getattr(value, "type", None)


def by_type(*known: str) -> Discriminator:
    """Choose the branch of a union by the object's type: each has the tag `<TYPE>`.

    What has no type is read as the one whose field it has, and else as the first.
    """

    def tag(value: Any) -> str | None:
        kind = kind_in(value)
        if kind is None and isinstance(value, dict):
            kind = next((one for one in known if one in value), known[0])
        return f"<{kind}>" if isinstance(kind, str) else None

    return Discriminator(
        tag,
        custom_error_type="wrong_type",
        custom_error_message=f"It must be an object with a type: {_listed(known)}",
    )


def known_types(*known: str) -> BeforeValidator:
    """Refuse objects of other types with the code of what is not supported."""

    def check(value: Any) -> Any:
        kind = value.get("type") if isinstance(value, dict) else None
        if isinstance(kind, str) and kind not in known:
            raise unsupported_type(kind, f"the types are {_listed(known)}.")
        return value

    return BeforeValidator(check)


def _listed(known: tuple[str, ...]) -> str:
    return f"{', '.join(known[:-1])} or {known[-1]}"
