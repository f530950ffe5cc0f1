"""The rows of a table: copied from one database to the other, and hashed to compare them."""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import DataError, connection, models
from msgspec import Struct

from inference.management.moving.errors import MoveError
from inference.storage.postgresql.stored_text import NUL, STAND_IN, storable_json

_BATCH = 500
_SPACE = 2**256


class TableDigest(Struct, frozen=True):
    """What two tables with the same rows have in common, whatever the order of their rows."""

    count: int
    sum: int  # of the hashes of the rows


def copy(model: Any, source: str, on_rows: Callable[[int], Any]) -> int:
    """Copy all rows of a table into the default database; returns how many. Raises MoveError."""
    fields = model._meta.local_concrete_fields
    quoted = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    table = model._meta.db_table
    statement = f"COPY {connection.ops.quote_name(table)} ({quoted}) FROM STDIN"
    count = 0
    try:
        with (
            connection.cursor() as cursor,
            connection.wrap_database_errors,
            cursor.copy(statement) as written,
        ):
            for row in _rows(model, source):
                values = zip(fields, row, strict=True)
                written.write_row([field.get_db_prep_save(value, connection) for field, value in values])
                count += 1
                on_rows(1)
    except DataError as error:
        reason = " ".join(str(error).split())
        raise MoveError(
            f"A row of {table} does not fit into PostgreSQL: {reason}. Nothing was moved."
        ) from None
    return count


def digest(model: Any, alias: str, on_rows: Callable[[int], Any] = lambda _: None) -> TableDigest:
    """The digest of a table."""
    fields = model._meta.local_concrete_fields
    count = total = 0
    for row in _rows(model, alias):
        hashed = hashlib.sha256()
        for field, value in zip(fields, row, strict=True):
            part = _canonical(field, value)
            hashed.update(len(part).to_bytes(8, "big") + part)
        count, total = count + 1, (total + int.from_bytes(hashed.digest(), "big")) % _SPACE
        on_rows(1)
    return TableDigest(count, total)


def _rows(model: Any, alias: str) -> Iterator[tuple[Any, ...]]:
    names = [field.attname for field in model._meta.local_concrete_fields]
    found: Iterator[tuple[Any, ...]] = (
        model._base_manager.using(alias).order_by().values_list(*names).iterator(_BATCH)
    )
    return found


def _canonical(field: Any, value: Any) -> bytes:
    """A value as both databases have it: PostgreSQL sorts JSON's keys, and may write a number otherwise."""
    if isinstance(field, models.JSONField):
        text = json.dumps(_as_number(value), sort_keys=True, cls=DjangoJSONEncoder)
        return b"json:" + storable_json(text.encode())
    if isinstance(value, bytes | memoryview):
        return b"bytes:" + bytes(value)
    if isinstance(value, datetime | date):
        return f"date:{value.isoformat()}".encode()
    if isinstance(value, str):
        return b"text:" + value.replace(NUL, STAND_IN).encode()
    return f"{type(value).__name__}:{value}".encode()


def _as_number(value: Any) -> Any:
    """JSON in which whole numbers are integers."""
    if isinstance(value, dict):
        return {name: _as_number(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_as_number(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
