"""A table of cases for one test: all are tried, and each one that fails is listed."""

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

Test = Callable[..., Any]
MOST_SHOWN = 200  # characters of a case
Rank = Callable[[str], Any]
_ranks: list[Rank] = []


@contextmanager
def in_order(rank: Rank) -> Iterator[None]:
    """Have the cases tried in this order of their names, for a run in which one failure is enough."""
    _ranks.append(rank)
    try:
        yield
    finally:
        _ranks.remove(rank)


def _named(table: Iterable[Any]) -> list[tuple[str, Any]]:
    """The cases with their names, in the order in which they are tried."""
    cases = [(repr(case)[:MOST_SHOWN], case) for case in table]
    return sorted(cases, key=lambda case: _ranks[-1](case[0])) if _ranks else cases


def each(names: str | Sequence[str], cases: Iterable[Any]) -> Callable[[Test], Test]:
    """As `pytest.mark.parametrize`, for cases that leave nothing behind: they make one test.

    Every process of a run collects every test, and reports it, which takes longer than such a case.
    """
    known = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    table = list(cases)

    def one_test(test: Test) -> Test:
        def arguments(case: Any) -> dict[str, Any]:
            return dict(zip(known, case if len(known) > 1 else (case,), strict=True))

        @functools.wraps(test)
        def plain(subtests: pytest.Subtests, **fixtures: Any) -> None:
            for name, case in _named(table):
                with subtests.test(name):
                    test(**arguments(case), **fixtures)

        @functools.wraps(test)
        async def awaited(subtests: pytest.Subtests, **fixtures: Any) -> None:
            for name, case in _named(table):
                with subtests.test(name):
                    await test(**arguments(case), **fixtures)

        whole: Any = awaited if inspect.iscoroutinefunction(test) else plain
        signature = inspect.signature(test)
        others = [one for name, one in signature.parameters.items() if name not in known]
        own = inspect.Parameter("subtests", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        whole.__signature__ = signature.replace(parameters=[own, *others])
        made: Test = whole
        return made

    return one_test
