"""Filters of lists that offer the most frequent values: a list of all would have no limit."""

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Count

from inference.core.whole_number import whole_number

_MOST = 30
_NO_VALUE = "none"


class FrequentValues(admin.AllValuesFieldListFilter):
    """The most frequent values of a column, and the one that is chosen; `text_of` is how people read one."""

    text_of: Callable[[str], str] = staticmethod(str)

    def __init__(
        self, field: Any, request: Any, params: Any, model: Any, model_admin: Any, field_path: str
    ) -> None:
        super().__init__(field, request, params, model, model_admin, field_path)
        frequent = _frequent(model_admin.get_queryset(request), field.name)
        # Of Django it is a queryset of values; its `choices` only goes through it.
        self.lookup_choices: Any = sorted({*frequent, *(self.lookup_val or ())})

    def choices(self, changelist: Any) -> Iterator[Any]:
        every, *others = super().choices(changelist)
        yield every
        for choice, value in zip(others, self.lookup_choices, strict=True):
            count = choice["display"].removeprefix(value)
            yield choice | {"display": f"{self.text_of(value) if value else _NO_VALUE}{count}"}


class FrequentRows(admin.RelatedFieldListFilter):
    """The rows of another table that most rows here belong to, and the one that is chosen."""

    def field_choices(self, field: Any, request: Any, model_admin: Any) -> Any:
        frequent = _frequent(model_admin.get_queryset(request), self.field_path)
        chosen = {whole_number(str(number)) for number in self.lookup_val or ()}
        return field.get_choices(
            include_blank=False,
            limit_choices_to={"pk__in": {*frequent, *chosen} - {None}},
            ordering=self.field_admin_ordering(field, request, model_admin),
        )


def _frequent(rows: Any, column: str) -> list[Any]:
    counted = rows.order_by().values_list(column).annotate(times=Count("pk"))
    return [value for value, _ in counted.order_by("-times", column)[:_MOST]]
