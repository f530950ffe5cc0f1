"""`python -m tests.management.schema_walk FILE`: a database that has lived through every schema.

It begins without tables and applies one migration after another. After each, every table of the site that is
new then, or was changed, gets a row with something in every column. FILE receives the rows as JSON:
table -> key -> column -> value, as SQLite has them.
"""

import json
import os
import sys
import uuid
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlxsite.settings")
APPS = ("inference", "playground")
TEXT = "The calm way to list primes"
_EMPTY = {"storedpicture.pending"}  # it has a conversation in its place
_AS_THE_SITE_HAS_IT: dict[str, Any] = {  # where any value would do for the column, and not for the pages
    "aliases": ["an-alias"],
    "allowed_models": ["a-model"],
    "attachments": [],
    "calls": [],
    "deleted_at": None,
    "findings": [],
    "role": "assistant",
    "status": "done",
    "tokens": [],
}


def walk() -> dict[str, dict[str, dict[str, Any]]]:
    """Apply all migrations in their order; returns the rows that were made on the way."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor
    from django.db.migrations.state import ProjectState

    executor = MigrationExecutor(connection)
    leaves = executor.loader.graph.leaf_nodes()
    state = ProjectState(real_apps=executor.loader.unmigrated_apps)
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    filled: dict[tuple[str, str], Any] = {}
    for migration, _ in executor.migration_plan(leaves):
        state = executor.migrate(leaves, plan=[(migration, False)], state=state.clone())
        for key, model_state in state.models.items():
            columns = sorted(model_state.fields)
            is_table = key[0] in APPS and model_state.options.get("managed", True)
            if is_table and filled.get(key) != columns:
                filled[key] = columns
                _fill(state.apps.get_model(*key), rows)
    return rows


def _fill(model: Any, rows: dict[str, dict[str, dict[str, Any]]]) -> None:
    """Make a row, and note it as it is stored."""
    from django.db import connection

    given = {field.name: _value(field, rows) for field in model._meta.fields if not field.auto_created}
    made = model.objects.create(**given)
    table, key = model._meta.db_table, model._meta.pk
    with connection.cursor() as cursor:
        stored = key.get_db_prep_value(made.pk, connection)
        query = f'SELECT * FROM "{table}" WHERE "{key.column}" = %s'  # noqa: S608 - names of ours
        cursor.execute(query, [stored])
        names = [column[0] for column in cursor.description]
        rows.setdefault(table, {})[str(stored)] = dict(zip(names, cursor.fetchone(), strict=True))


def _value(field: Any, rows: dict[str, Any]) -> Any:
    """Something that the column can hold; a reference names the newest row of its table."""
    from django.db import models

    number = sum(map(len, rows.values())) + 1
    if f"{field.model._meta.model_name}.{field.name}" in _EMPTY:
        return None
    if field.is_relation:
        return _reference(field, rows, f"{number}-{field.name}")
    if field.name in _AS_THE_SITE_HAS_IT:
        return _AS_THE_SITE_HAS_IT[field.name]
    if field.choices:
        return field.choices[-1][0]
    made: dict[type[models.Field[Any, Any]], Any] = {
        models.UUIDField: uuid.uuid4(),
        models.BooleanField: False,
        models.DateTimeField: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        models.DateField: date(2026, 1, 2),
        models.JSONField: {"a": [1, TEXT]},
        models.FloatField: 0.5,
        models.IntegerField: number,
        models.TextField: f"{TEXT} {number}",
        models.CharField: f"{number} {TEXT}"[: field.max_length],
        models.BinaryField: b"\x00\xff",
    }
    return next(value for kind, value in made.items() if isinstance(field, kind))


def _reference(field: Any, rows: dict[str, Any], name: str) -> Any:
    target = field.related_model
    if target._meta.app_label == "auth":  # a new one each time: some tables have one row for each
        return target.objects.create(**{"username" if target._meta.model_name == "user" else "name": name})
    known = [] if target is field.model else list(rows.get(target._meta.db_table, ()))
    return target.objects.get(pk=known[-1]) if known else None


def main() -> None:
    django.setup()
    Path(sys.argv[1]).write_text(json.dumps(walk(), default=str))


if __name__ == "__main__":
    main()
