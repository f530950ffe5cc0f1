"""The base of every body: a field is enforced or refused, never accepted and ignored."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, ClassVar, NamedTuple, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, model_validator
from pydantic_core import PydanticCustomError

UNSUPPORTED = "unsupported_parameter"


class Refused(NamedTuple):
    """Why a field of OpenAI's is refused, and which of its values ask for nothing and are therefore taken."""

    why: str
    harmless: tuple[Any, ...] = ()


class Strict(BaseModel):
    """An object of which every field is known; `null` always asks for nothing.

    A field's description says what its values do; docs/api.md shows it.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
    refused: ClassVar[Mapping[str, Refused]] = {}

    @model_validator(mode="before")
    @classmethod
    def _refuse_what_would_be_ignored(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        known = cls.names()
        # What is of another kind has fields of its own: its type is what is wrong, and is checked next.
        is_ours = cls._is_of_our_kind(data)
        for name, value in data.items():
            if name not in known and (is_ours or name in cls.refused):
                cls._refuse_unless_it_asks_for_nothing(name, value)
        return {name: value for name, value in data.items() if name in known}

    @classmethod
    def names(cls) -> set[str]:
        """The fields' names as clients write them."""
        return {field.alias or name for name, field in cls.model_fields.items()}

    @property
    def own_names(self) -> Mapping[str, str]:
        """The fields that are called otherwise here than by the rest of the server, as in field_names.py."""
        return {}

    @classmethod
    def _is_of_our_kind(cls, data: dict[str, Any]) -> bool:
        """Whether its `type` is one that this schema has; what has no types is always."""
        kinds = get_args(cls.model_fields["type"].annotation) if "type" in cls.model_fields else ()
        return not kinds or data.get("type", kinds[0]) in kinds

    @classmethod
    def _refuse_unless_it_asks_for_nothing(cls, name: str, value: Any) -> None:
        if name in cls.refused:
            # 1 == True in Python, and `n: true` is no number.
            harmless = cls.refused[name].harmless
            if value is None or any(type(value) is type(same) and value == same for same in harmless):
                return
            raise unsupported(f"<field> is not supported: {cls.refused[name].why}", field=name)
        close = get_close_matches(name[:64], cls.names(), n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise unsupported(f"<field> is not a field of this endpoint.{hint}", field=name[:64])


def unsupported(message: str, field: str = "") -> PydanticCustomError:
    """An error of the code `unsupported_parameter`; `<field>` in the message becomes the field's path."""
    return PydanticCustomError(UNSUPPORTED, _literal(message), {"field": field} if field else None)


def wrong(kind: str, message: str, field: str) -> PydanticCustomError:
    """An error about `field` that only shows when several fields are looked at together."""
    return PydanticCustomError(_literal(kind), _literal(message), {"field": field})


def _literal(text: str) -> Any:
    # pydantic types these as literal strings and formats braces in them: nothing of a client's may be in one.
    return text.replace("{", "(").replace("}", ")")


def unless(*values: str, why: str) -> BeforeValidator:
    """Refuse values that are OpenAI's but not ours with their own code."""

    def check(value: Any) -> Any:
        if isinstance(value, str) and value in values:
            raise unsupported(f"<field>: {value!r} is not supported: {why}")
        return value

    return BeforeValidator(check)


def only(*values: str, why: str) -> BeforeValidator:
    """Refuse every other text with the code of what is not supported."""

    def check(value: Any) -> Any:
        if isinstance(value, str) and value not in values:
            raise unsupported(f"<field>: {value[:64]!r} is not supported: {why}")
        return value

    return BeforeValidator(check)


def either(kinds: Mapping[str, type | tuple[type, ...]], wanted: str) -> Discriminator:
    """Choose the branch of a union by the value's type: `kinds` has the branches' tags, in order.

    Tags are written <so>, and left out where an error's path is told: they are no part of what was sent.
    """

    def tag(value: Any) -> str | None:
        return next((tag for tag, kind in kinds.items() if isinstance(value, kind)), None)

    return Discriminator(tag, custom_error_type="wrong_type", custom_error_message=f"It must be {wanted}")
