"""The base of every body: a field is enforced, refused or noted, never silently ignored."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any, ClassVar, NamedTuple, Self, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationInfo,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError

UNSUPPORTED = "unsupported_parameter"
EXCLUSIVE = "mutually_exclusive_parameters"
NOTES_UNKNOWN = "notes_unknown"  # in the context of a validation: unknown names of a Body are noted
_ALIASES: dict[str, set[str]] = {}  # a field's own name: its other names, in any schema


class Refused(NamedTuple):
    """Why a field is refused, and which of its values ask for what is so anyway and are therefore taken."""

    why: str
    harmless: tuple[Any, ...] = ()


class Strict(BaseModel):
    """An object whose fields are enforced, refused or noted; `null` always asks for nothing.

    A field of the model is *enforced*: its description says what its values do. What is in `refused` would
    change the answer and cannot be done. What is in `noted` cannot change it: it is taken, and the answer's
    header `x-mlx-noted` lists it. Every other name is refused, or noted where `notes_unknown` is true.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
    refused: ClassVar[Mapping[str, Refused]] = {}
    noted: ClassVar[Mapping[str, str]] = {}  # name: why it changes nothing
    aliases: ClassVar[Mapping[str, str]] = {}  # other name of a field: the field's own name
    silent: ClassVar[frozenset[str]] = frozenset()  # noted without being listed: marks that come by the dozen
    notes_unknown: ClassVar[bool] = False
    _noted: tuple[str, ...] = PrivateAttr(())
    _sent_as: Mapping[str, str] = PrivateAttr({})  # own name: the alias that was sent

    @property
    def request_marks(self) -> Iterable[str]:
        """What of its system texts is left out because it changes with every request, as `field:mark`."""
        return ()

    @model_validator(mode="wrap")
    @classmethod
    def _sort_fields(cls, data: Any, build: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        if not isinstance(data, dict):
            return build(data)
        fields, sent_as = cls._by_own_name(data)
        known = cls.names()
        # What is of another kind has fields of its own: its type is what is wrong, and is checked next.
        is_ours = cls._is_of_our_kind(fields)
        others = [name for name in fields if name not in known and (is_ours or name in cls.refused)]
        noted = tuple(name for name in others if cls._is_noted(name, fields[name], info))
        noted = tuple(name for name in noted if cls._is_listed(name))
        built = build({name: value for name, value in fields.items() if name in known})
        built._noted, built._sent_as = noted, sent_as
        return built

    @classmethod
    @cache
    def names(cls) -> frozenset[str]:
        """The fields' names as clients write them."""
        return frozenset(field.alias or name for name, field in cls.model_fields.items())

    @property
    def own_names(self) -> Mapping[str, str]:
        """The fields that are called otherwise here than by the rest of the server, as in field_names.py."""
        return self._sent_as

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        for alias, name in cls.aliases.items():
            _ALIASES.setdefault(name, set()).add(alias)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Any:
        described = handler.resolve_ref_schema(handler(schema))
        properties = described.setdefault("properties", {})
        for name in cls.noted:
            properties.setdefault(name, {"description": "Noted: it does not change the answer."})
        for alias, name in cls.aliases.items():  # no properties: either of the names may be sent, not both
            properties[name]["description"] += f" Also called `{alias}`."
        if cls.notes_unknown:
            described["additionalProperties"] = True
            for name, refused in cls.refused.items():  # elsewhere no other name is allowed
                properties.setdefault(name, {"enum": [None, *refused.harmless], "description": "Refused."})
        return described

    @classmethod
    def _by_own_name(cls, data: Mapping[str, Any]) -> tuple[dict[str, Any], Mapping[str, str]]:
        """The fields by their own names; an alias beside its field has to agree with it."""
        if not cls.aliases.keys() & data.keys():
            return dict(data), {}
        fields = {name: value for name, value in data.items() if name not in cls.aliases}
        sent_as: dict[str, str] = {}
        for alias in cls.aliases.keys() & data.keys():
            name, value = cls.aliases[alias], data[alias]
            if fields.get(name) is None:
                fields[name] = value
                sent_as[name] = alias
            elif value is not None and not _is_same(value, fields[name]):
                raise wrong("names_differ", f"It differs from {name}, another name of the same field", alias)
        return fields, sent_as

    @classmethod
    def _is_of_our_kind(cls, data: Mapping[str, Any]) -> bool:
        """Whether its `type` is one that this schema has; what has no types is always."""
        kinds = cls._kinds()
        return not kinds or data.get("type", kinds[0]) in kinds

    @classmethod
    @cache
    def _kinds(cls) -> tuple[Any, ...]:
        return get_args(cls.model_fields["type"].annotation) if "type" in cls.model_fields else ()

    @classmethod
    def _is_noted(cls, name: str, value: Any, info: ValidationInfo) -> bool:
        """Whether this other field is noted; False where it asks for nothing; raises where it is refused."""
        if name in cls.refused:
            if value is None or any(_is_same(value, harmless) for harmless in cls.refused[name].harmless):
                return False
            raise unsupported(f"<field> is not supported: {cls.refused[name].why}", field=name)
        if value is None or name in cls.noted or cls._takes_unknown(info):
            return value is not None
        close = get_close_matches(name[:64], cls.names(), n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise unsupported(f"<field> is not a field of this endpoint.{hint}", field=name[:64])

    @classmethod
    def _is_listed(cls, name: str) -> bool:
        return name not in cls.silent

    @classmethod
    def _takes_unknown(cls, info: ValidationInfo) -> bool:
        return cls.notes_unknown


class Part(Strict):
    """An object inside a body of a dialect: clients add marks of their own to these, which are noted."""

    notes_unknown = True


class Body(Strict):
    """The top level of a dialect's body: MLX_SERVER_UNKNOWN_FIELDS decides about unknown names."""

    @classmethod
    def _takes_unknown(cls, info: ValidationInfo) -> bool:
        return bool((info.context or {}).get(NOTES_UNKNOWN))


def noted_in(value: Any, path: str = "") -> Iterator[str]:
    """The paths of all that was noted in an object or a list of them, such as `messages.0.cache_control`."""
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield from noted_in(item, f"{path}{place}.")
    elif isinstance(value, Strict):
        yield from (f"{path}{name}" for name in (*value._noted, *value.request_marks))
        for name, field in type(value).model_fields.items():
            yield from noted_in(getattr(value, name), f"{path}{field.alias or name}.")


def sent_name(name: str, data: Mapping[str, Any]) -> str | None:
    """The name under which `data` has the field `name`, which may be one of its aliases."""
    return next((one for one in (name, *_ALIASES.get(name, ())) if one in data), None)


def _is_same(value: Any, other: Any) -> bool:
    # 1 == True in Python, and `n: true` is no number.
    return type(value) is type(other) and value == other


def unsupported(message: str, field: str = "") -> PydanticCustomError:
    """An error of the code `unsupported_parameter`; `<field>` in the message becomes the field's path."""
    return PydanticCustomError(UNSUPPORTED, literal(message), {"field": field} if field else None)


def unsupported_type(kind: str, why: str) -> PydanticCustomError:
    """An error about an object whose `type` is one that this server does not have."""
    return unsupported(f"<field>: {kind[:64]!r} is not supported: {why}", "type")


def wrong(kind: str, message: str, field: str) -> PydanticCustomError:
    """An error about `field` that only shows when several fields are looked at together."""
    return PydanticCustomError(literal(kind), literal(message), {"field": field})


def exclusive(field: str, other: str) -> PydanticCustomError:
    """An error about two fields of which only one may be sent."""
    message = f"<field> and {other!r} are mutually exclusive; send one of them."
    return PydanticCustomError(literal(EXCLUSIVE), literal(message), {"field": field})


def literal(text: str) -> Any:
    """A text for an error of pydantic's."""
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


def not_given(*values: str) -> BeforeValidator:
    """Read these words as null."""
    return BeforeValidator(lambda value: None if isinstance(value, str) and value in values else value)


def either(kinds: Mapping[str, type | tuple[type, ...]], wanted: str) -> Discriminator:
    """Choose the branch of a union by the value's type: `kinds` has the branches' tags, in order.

    Tags are written <so>, and left out of the path in an error: they are no part of what was sent.
    """

    def tag(value: Any) -> str | None:
        return next((tag for tag, kind in kinds.items() if isinstance(value, kind)), None)

    return Discriminator(tag, custom_error_type="wrong_type", custom_error_message=f"It must be {wanted}")
