"""The database when the site starts: checked, and migrated where an earlier version has made it."""

from collections.abc import Callable
from typing import NoReturn

from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.executor import MigrationExecutor

from inference.core.installation import PROGRAM

# By SQLite's result codes, https://www.sqlite.org/rescode.html; its messages are not for decisions.
_WAYS_OUT = {
    "SQLITE_BUSY": "Another program writes to it; end that one first.",
    "SQLITE_CANTOPEN": "Make it a file that you can read and write, in a folder that you can write to.",
    "SQLITE_FULL": "Free some space on its disk first.",
    "SQLITE_READONLY": "Make it a file that you can read and write, in a folder that you can write to.",
}
_RESTORE = (
    f"Restore a backup into another data folder with `{PROGRAM} restore FILE` and MLX_SERVER_DATA_DIR, or "
    "move the file away: the next start creates an empty one."
)


def bring_up_to_date(write: Callable[[str], None]) -> None:
    """Migrate the database; raises CommandError for one that cannot be used, with the way out.

    1. Refuse a file that is no database.
    2. Refuse one that a newer version of the site has migrated: its rows may not be what this one expects.
    3. Migrate it, and say so where it is not new.
    4. Refuse one that has lost a migration of those that it was made with, or a table.
    """
    try:
        executor = MigrationExecutor(connection)
        _refuse_newer(executor)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if plan and executor.loader.applied_migrations:
            write(f"Updating the database: {len(plan)} migration{'s' if len(plan) > 1 else ''}.")
        call_command("migrate", verbosity=0, interactive=False)
        _refuse_incomplete()
    except DatabaseError as error:
        if connection.vendor == "postgresql":
            raise CommandError(_refusal_of_server(error)) from None
        _refuse(error)
    except InconsistentMigrationHistory as error:
        raise CommandError(
            f"The database {_path()} has lost one of its migrations: {error} {_RESTORE}"
        ) from None


def _refuse_newer(executor: MigrationExecutor) -> None:
    loader = executor.loader
    known = {*loader.disk_migrations, *(key for one in loader.replacements.values() for key in one.replaces)}
    applied = [key for key in loader.applied_migrations if key[0] in loader.migrated_apps]
    if newer := sorted(".".join(key) for key in applied if key not in known):
        raise CommandError(
            f"A newer version of the site has used {_path()}: it has the migration {newer[0]}. Install that "
            "version, or restore a backup of this one into another data folder with "
            f"`{PROGRAM} restore FILE` and MLX_SERVER_DATA_DIR."
        )


def _refuse_incomplete() -> None:
    there = set(connection.introspection.table_names())
    wanted = {model._meta.db_table for model in apps.get_models() if model._meta.managed}
    if missing := sorted(wanted - there):
        raise CommandError(f"The database {_path()} has lost the table {missing[0]}. {_RESTORE}")


def _refuse(error: DatabaseError) -> NoReturn:
    name = getattr(error.__cause__, "sqlite_errorname", "")
    way_out = next((way for code, way in _WAYS_OUT.items() if name.startswith(code)), _RESTORE)
    raise CommandError(f"The database {_path()} cannot be used: {error}. {way_out}") from None


def _refusal_of_server(error: DatabaseError) -> str:
    """Why a PostgreSQL server cannot be used, in one line; its library's messages have no passwords."""
    reason = " ".join(str(error).split()) or type(error).__name__
    return (
        f"The database {_path()} of MLX_SERVER_DATABASE_URL cannot be used: {reason.rstrip('.?')}. Start the "
        "server, or correct the address; without the setting, the database is a file in the data folder."
    )


def _path() -> str:
    return str(connection.settings_dict["NAME"])
