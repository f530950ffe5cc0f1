"""Statements of a migration run on databases of their vendor alone."""

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.state import ProjectState

from playground.vendor_statements import VendorStatements


@pytest.mark.django_db(transaction=True)  # SQLite changes no table inside of one
@pytest.mark.parametrize("is_ours", [True, False])
def test_they_run_on_their_vendor_alone(is_ours: bool) -> None:
    vendor = connection.vendor if is_ours else "another"
    made = VendorStatements(vendor, "CREATE TABLE made_here (a int)", "DROP TABLE made_here")
    state = ProjectState()
    for move, is_there in ((made.database_forwards, is_ours), (made.database_backwards, False)):
        with connection.schema_editor(atomic=False) as editor:
            move(apps.get_app_config("playground").label, editor, state, state)
        assert ("made_here" in connection.introspection.table_names()) is is_there
