"""The steps of a move. This process has two databases meanwhile: `default` is the target."""

from pathlib import Path
from typing import Any, Protocol

from django.core.management import call_command
from django.db import connection, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from inference.core.installation import PROGRAM
from inference.management.moving import rows, tables
from inference.management.moving.errors import MoveError
from mlxsite.database import of_file

SOURCE = "moved"
_EMPTY_FIRST = "Name a new database: `createdb` makes one."


class ProgressBar(Protocol):
    """A bar of tqdm."""

    total: float | None

    def update(self, n: float | None = 1) -> Any: ...


def move(source: Path, target: dict[str, Any], progress: ProgressBar) -> int:
    """Copy all rows, and compare; returns how many there are. The caller holds the lock of the site.

    1. Refuse a target that has rows, and a source of another version.
    2. Migrate the target.
    3. In one transaction: copy every table, have new ids begin after those of the source, and compare each
       table by its count and a hash of its rows.

    Raises MoveError or DatabaseError; the target has no rows then.
    """
    _connect(source, target)
    with transaction.atomic(using=SOURCE):  # one moment of the source
        _refuse_target_with_rows()
        _refuse_other_version()
        call_command("migrate", verbosity=0, interactive=False)
        moved = tables.in_order()
        progress.total = 2 * sum(one._base_manager.using(SOURCE).count() for one in moved)
        with transaction.atomic():
            for model in reversed(moved):
                tables.empty(model)
            count = sum(rows.copy(model, SOURCE, progress.update) for model in moved)
            tables.continue_ids(SOURCE)
            for model in moved:
                _compare(model, progress)
    return count


def _connect(source: Path, target: dict[str, Any]) -> None:
    connections["default"].close()
    defaults = connections.databases["default"]
    kept = {name: value for name, value in defaults.items() if name not in {*target, "OPTIONS"}}
    of_source = of_file(source) | {
        "NAME": f"file:{source}?mode=ro",
        "OPTIONS": {"uri": True, "timeout": 20},
    }
    connections.databases["default"] = kept | target
    connections.databases[SOURCE] = kept | {"USER": "", "PASSWORD": "", "HOST": "", "PORT": ""} | of_source
    del connections["default"]


def _refuse_target_with_rows() -> None:
    there = set(connection.introspection.table_names())
    if foreign := sorted(there - tables.names()):
        raise MoveError(f"The database has tables of another program, such as {foreign[0]}. {_EMPTY_FIRST}")
    own = (model for model in tables.in_order() if not tables.is_filled_by_migrate(model))
    for model in (model for model in own if model._meta.db_table in there):
        if model._base_manager.exists():
            raise MoveError(f"The database has rows already, in {model._meta.db_table}. {_EMPTY_FIRST}")


def _refuse_other_version() -> None:
    executor = MigrationExecutor(connections[SOURCE])
    known = executor.loader.disk_migrations
    applied = MigrationRecorder(connections[SOURCE]).applied_migrations()
    ours = {key for key in applied if key[0] in executor.loader.migrated_apps}
    if executor.migration_plan(executor.loader.graph.leaf_nodes()) or not ours <= known.keys():
        raise MoveError(
            f"The database in the data folder is of another version. Start the site once with `{PROGRAM} "
            "serve`, which updates it, and stop it."
        )


def _compare(model: Any, progress: ProgressBar) -> None:
    before, after = rows.digest(model, SOURCE, progress.update), rows.digest(model, "default")
    if before != after:
        raise MoveError(
            f"The table {model._meta.db_table} is not the same after copying it: {before.count} rows before, "
            f"{after.count} after. Nothing was moved."
        )
