"""The connection that Django makes for the engine `inference.storage.postgresql`.

Transactions take turns, as on SQLite with `BEGIN IMMEDIATE`: the site's code reads in a transaction what it
changes afterwards, and counts on it that nobody changes it meanwhile. Reading outside of a transaction waits
for nobody.
"""

from contextlib import suppress
from typing import Any

from django.db.backends.postgresql import base

from inference.storage.postgresql import stored_text

# Any number that other programs do not use in this database:
# https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
_TURN = 0x6D6C78_73697465


class DatabaseWrapper(base.DatabaseWrapper):
    """One connection to the PostgreSQL server."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        stored_text.register(connection)
        return connection

    def _set_autocommit(self, autocommit: bool) -> None:
        super()._set_autocommit(autocommit)  # type: ignore[misc]
        if not autocommit:
            self._wait_for_turn()

    def _wait_for_turn(self) -> None:
        """Hold the lock of writers until the end of the transaction; raises OperationalError in the end."""
        try:
            with self.wrap_database_errors, self.connection.cursor() as cursor:
                cursor.execute(f"SELECT pg_advisory_xact_lock({_TURN})")
        except BaseException:
            with suppress(self.Database.Error):
                self.connection.rollback()
                self.connection.autocommit = True
            raise
