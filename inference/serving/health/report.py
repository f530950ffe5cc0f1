"""The report of all checks: quick ones at once, slow ones beside it and kept for a minute."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from django.db import DatabaseError
from msgspec import Struct

from inference.core.background_refresh import BackgroundRefresh
from inference.serving.health.checks import (
    blas,
    cpu_kernels,
    database,
    disk,
    downloads,
    keys,
    lora_adapters,
    mac,
    machine,
    memory,
    open_files,
    openid_provider,
    pool,
    refused_origins,
    self_tests,
    shared_redis,
    site_settings,
    this_front,
    upstreams,
    worker_deaths,
)
from inference.serving.health.finding import CheckResult, State, worst

_KEPT_S = 60.0
_WAIT_S = 0.5
_RANK: dict[State, int] = {"wrong": 0, "look": 1, "good": 2}


class Check(Protocol):
    """A file of checks/."""

    __name__: str
    check: Callable[[], Iterator[CheckResult]]


# Of the machine and the settings: they need no running site and no database, and may take seconds.
OF_MACHINE: tuple[Check, ...] = (
    *(
        machine,
        memory,
        mac,
        blas,
        cpu_kernels,
        disk,
        open_files,
        site_settings,
        openid_provider,
        shared_redis,
        lora_adapters,
    ),
)
# Of what the database has.
STORED: tuple[Check, ...] = (database, worker_deaths, keys, self_tests, upstreams)
# Of the process of the site.
LIVE: tuple[Check, ...] = (pool, downloads, refused_origins, this_front)


class HealthReport(Struct, frozen=True, kw_only=True):
    """What all checks found, the worst first; it is not complete while slow ones run for the first time."""

    state: State
    results: tuple[CheckResult, ...]
    is_complete: bool = True


def run(checks: Sequence[Check]) -> Iterator[CheckResult]:
    """What these checks find; one that cannot look says so."""
    for one in checks:
        try:
            yield from one.check()
        except (OSError, DatabaseError) as error:
            about = one.__name__.rpartition(".")[2].replace("_", " ")
            text = f"This could not be checked: {type(error).__name__}."
            yield CheckResult(about=about, text=text, state="look", advice="The log may say why.")


_SLOW = BackgroundRefresh(lambda: tuple(run(OF_MACHINE)), refresh_after_s=_KEPT_S, timeout_s=_WAIT_S)


def report(slow: BackgroundRefresh[tuple[CheckResult, ...]] = _SLOW) -> HealthReport:
    """The health of the site now; it waits for slow checks for half a second at most."""
    known = slow.recent()
    results = sorted((*run(LIVE), *run(STORED), *(known or ())), key=lambda result: _RANK[result.state])
    return HealthReport(state=worst(results), results=tuple(results), is_complete=known is not None)
