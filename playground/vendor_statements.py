"""Statements of a migration that only one kind of database understands."""

from typing import Any

from django.db import migrations


class VendorStatements(migrations.RunSQL):
    """Statements for the databases of one vendor, as Django calls it; elsewhere it does nothing."""

    def __init__(self, vendor: str, sql: str, reverse_sql: str) -> None:
        super().__init__(sql, reverse_sql)
        self._vendor = vendor

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__qualname__, [self._vendor, self.sql, self.reverse_sql], {}

    def _run_sql(self, schema_editor: Any, sqls: Any) -> None:
        if schema_editor.connection.vendor == self._vendor:
            super()._run_sql(schema_editor, sqls)  # type: ignore[misc]
