"""The tables of the site, in an order in which each comes after those that its rows refer to."""

from graphlib import TopologicalSorter
from typing import Any

from django.apps import apps
from django.db import connection, connections

# What `migrate` itself writes into a new database; django_migrations is no model of an app.
_FILLED = {"django_content_type", "auth_permission", "auth_group", "auth_group_permissions"}
_OTHERS = {"django_migrations", "playground_words"}


def in_order() -> list[Any]:
    """The models of all tables with rows of their own."""
    models = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    ]
    return list(TopologicalSorter({model: _needed(model) for model in models}).static_order())


def names() -> set[str]:
    """The names of all tables that the site's database has."""
    return {model._meta.db_table for model in in_order()} | _OTHERS


def is_filled_by_migrate(model: Any) -> bool:
    return model._meta.db_table in _FILLED


def empty(model: Any) -> None:
    """Delete the rows of the target, without a look at what refers to them: all of them go."""
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")  # noqa: S608 - a name of ours


def continue_ids(source: str) -> None:
    """Have new rows get ids that no row of the source ever had."""
    with connections[source].cursor() as cursor:
        cursor.execute("SELECT name, seq FROM sqlite_sequence")
        last = dict(cursor.fetchall())
    with connection.cursor() as cursor:
        for model in in_order():
            if seq := last.get(model._meta.db_table):
                names = [connection.ops.quote_name(model._meta.db_table), model._meta.pk.column, seq]
                cursor.execute("SELECT setval(pg_get_serial_sequence(%s, %s), %s)", names)


def _needed(model: Any) -> set[Any]:
    """The models that its rows must refer to; where they may, the order does not matter until the end."""
    references = (field for field in model._meta.local_concrete_fields if field.is_relation)
    needed = {field.related_model._meta.concrete_model for field in references if not field.null}
    return needed - {model}
