"""A table of cases in one test: each is tried, and those that fail are named."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager

from tests.each import each, in_order


class Report:
    """Subtests as pytest has them: they note a failure, and go on."""

    def __init__(self) -> None:
        self.failed: list[str] = []

    @contextmanager
    def test(self, name: str) -> Iterator[None]:
        try:
            yield
        except AssertionError:
            self.failed.append(name)


def test_all_cases_are_tried_and_those_that_fail_are_named() -> None:
    tried = []

    @each("one, other", [(1, 1), (1, 2), (3, 3), (3, 4)])
    def equal(one: int, other: int) -> None:
        tried.append(one)
        assert one == other

    report = Report()
    equal(subtests=report)
    assert (tried, report.failed) == ([1, 1, 3, 3], ["(1, 2)", "(3, 4)"])


def test_cases_are_tried_in_another_order_where_that_is_wanted() -> None:
    tried = []

    @each("one", ["a", "b", "c"])
    def fails(one: str) -> None:
        tried.append(one)

    with in_order(lambda name: name != "'b'"):
        fails(subtests=Report())
    fails(subtests=Report())
    assert tried == ["b", "a", "c", "a", "b", "c"]


def test_other_arguments_are_fixtures() -> None:
    @each("value", ["a", "b"])
    def begins(value: str, fixture: str) -> None:
        assert fixture.startswith(value)

    report = Report()
    begins(subtests=report, fixture="alpha")
    assert report.failed == ["'b'"]
    assert list(inspect.signature(begins).parameters) == ["subtests", "fixture"]
