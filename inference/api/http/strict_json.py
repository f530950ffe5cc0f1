"""Strict JSON at the door: what is ambiguous or unbounded is refused before anything looks at it.

The standard parser takes duplicate keys, NaN, 1e999, lone surrogates and any depth; each of them has
broken a server of this kind (a second reader sees another value, an engine thread dies on it).
"""

import json
from collections.abc import Mapping
from math import isfinite
from types import MappingProxyType
from typing import Any, NoReturn, TypeVar

import pydantic
from django.conf import settings
from django.http import HttpRequest

from inference.api.http import answer_headers, known_clients, pictures, raw_body
from inference.api.http import errors as http_errors
from inference.api.http.field_error import field_error
from inference.api.http.strict_schema import NOTES_UNKNOWN, Strict, noted_in
from inference.core.errors import BodyTooLarge, InvalidJSON, UnsupportedMediaType
from inference.core.threads import BODIES

MAX_DEPTH = 32
MAX_VALUES = 100_000
MAX_INTEGER = 2**64
_EXACT_FLOAT = 2**53
_SMALL_BODY_BYTES = 64 * 1024

S = TypeVar("S", bound=Strict)
Context = Mapping[str, bool]
_NO_CONTEXT: Context = MappingProxyType({})


async def read(
    request: HttpRequest, schema: type[S], *, takes_any_type: bool = False, context: Context = _NO_CONTEXT
) -> S:
    """The request's body as `schema`; UnsupportedMediaType, BodyTooLarge, InvalidJSON or InvalidValue.

    What is noted of it is listed in a header of the answer. `takes_any_type` is for APIs whose clients send
    JSON under any Content-Type: only a request without an Origin may, since no page of another site sent it.
    `context` is what the schema has to know beside the body, such as what the request's headers say.
    """
    body = body_of(request, takes_any_type=takes_any_type)
    if len(body) <= _SMALL_BODY_BYTES:
        return _read(request, body, schema, context)
    # Megabytes of JSON would hold up every stream.
    return await BODIES.run(_read, request, body, schema, context)


def read_now(request: HttpRequest, schema: type[S]) -> S:
    """The same on this thread, which is not the event loop's."""
    return _read(request, body_of(request), schema)


def _read(request: HttpRequest, body: bytes, schema: type[S], context: Context = _NO_CONTEXT) -> S:
    fields = load_object(body)
    notes_unknown = settings.CONFIG.unknown_fields == "note" or known_clients.is_known(request, fields)
    made = check(fields, schema, notes_unknown=notes_unknown, context=context, size=len(body))
    answer_headers.list_in(request, answer_headers.NOTED, noted_in(made))
    return made


def parse(body: bytes, schema: type[S]) -> S:
    return check(load_object(body), schema)


def check(
    fields: dict[str, Any],
    schema: type[S],
    *,
    notes_unknown: bool = False,
    context: Context = _NO_CONTEXT,
    size: int = 0,
) -> S:
    """Values that `load_object` has read, or that were read so before, as `schema`; InvalidValue.

    BodyTooLarge where a body of `size` bytes is larger than one without its pictures may be.
    """
    tally = pictures.Tally()
    known = {**context, NOTES_UNKNOWN: notes_unknown, pictures.TALLY: tally}
    try:
        made = schema.model_validate(fields, context=known)
    except pydantic.ValidationError as error:
        raise field_error(error.errors(include_url=False, include_input=False)[0], fields) from None
    if size - tally.characters > settings.CONFIG.max_body_bytes:
        raise BodyTooLarge(http_errors.BODY_TOO_LARGE)
    return made


def load_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`; InvalidJSON when it is anything else."""
    try:
        value = json.loads(
            body.decode("utf-8-sig"),  # the mark at its beginning is allowed to be there
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=_number,
        )
    except json.JSONDecodeError as error:
        raise InvalidJSON(
            f"The body is not valid JSON (line {error.lineno}, column {error.colno})."
        ) from None
    except UnicodeDecodeError:
        raise InvalidJSON("The body is not valid UTF-8.") from None
    except RecursionError:
        raise InvalidJSON("The body is nested too deeply.") from None
    except ValueError:  # int() refuses more than 4300 digits
        raise InvalidJSON("A number in the body is too large.") from None
    if not isinstance(value, dict):
        raise InvalidJSON("The body must be a JSON object.")
    _check_values(value)
    return value


def _check_media_type(request: HttpRequest) -> None:
    # A page of another site can send text/plain without asking first; application/json it cannot.
    charset = (request.content_params or {}).get("charset", "utf-8").lower()
    if request.content_type != "application/json" or charset not in {"utf-8", "utf8"}:
        raise UnsupportedMediaType("Send the body as JSON in UTF-8, with Content-Type: application/json.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("Send the body as it is, without a Content-Encoding.")


def body_of(request: HttpRequest, *, takes_any_type: bool = False) -> bytes:
    """The bytes of a JSON body, still unread; UnsupportedMediaType or BodyTooLarge."""
    if not takes_any_type or "Origin" in request.headers:
        _check_media_type(request)
    return raw_body.bounded(request)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise InvalidJSON("The body has the same field twice.")
    return made


def _number(text: str) -> float | int:
    """JSON has one kind of numbers, and to JSON Schema 5.0 is an integer; some languages write all so."""
    number = float(text)
    return int(number) if number.is_integer() and abs(number) <= _EXACT_FLOAT else number


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidJSON(f"{name} is not valid JSON.")


def _check_values(top: dict[str, Any]) -> None:
    """Refuse what JSON can say and this server cannot take, without recursion of its own."""
    level: list[Any] = [top]
    seen = 0
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below += value.keys()
                below += value.values()
            elif isinstance(value, list):
                below += value
            else:
                _check_scalar(value)
        seen += len(below)
        if seen > MAX_VALUES:
            raise InvalidJSON(f"The body holds more than {MAX_VALUES} values.")
        if not below:
            return
        level = below
    raise InvalidJSON(f"The body is nested deeper than {MAX_DEPTH} levels.")


def _check_scalar(value: object) -> None:
    if isinstance(value, str) and not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
        raise InvalidJSON("A text in the body holds half a surrogate pair.")
    if isinstance(value, float) and not isfinite(value):
        raise InvalidJSON("A number in the body is too large.")
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        raise InvalidJSON("A number in the body is too large.")
