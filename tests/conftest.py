"""Fixtures for all tests: a browser, a hub, a superuser; and a run that must be complete fails on a skip.

Fixtures import what they need in their bodies: Django, Playwright, Hypothesis and numpy take seconds,
and a single file that uses none of them runs in one.
"""

import gc
import inspect
import os
import shutil
import sys
from collections.abc import AsyncIterator, Generator, Iterator
from contextvars import copy_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from tests.nightly import IS_NIGHTLY

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoDbBlocker

    from tests.api.openai.site import Site
    from tests.postgres import PostgresServer
    from tests.repository.hub import FakeHub

IS_ONE_OF_MANY = "PYTEST_XDIST_WORKER" in os.environ
_skipped: list[str] = []


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without the garbage collector, and have it never look at the tests and modules: they all stay.

    It went through every object again and again, for a quarter of the collection's processor time.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collectstart(collector: pytest.Collector) -> None:
    """Load the Hypothesis profile before the first module that uses it is imported."""
    if not isinstance(collector, pytest.Module) or "hypothesis" not in collector.path.read_text():
        return
    from hypothesis import settings

    # The time of an example depends on how busy the machine is.
    settings.register_profile("ours", deadline=None, max_examples=200 if IS_NIGHTLY else 25)
    settings.load_profile("ours")


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Keep the tests' database in a file, as the product does, unless it is on PostgreSQL.

    There each process of a run has a database of its own.

    In SQLite's shared memory a second connection that writes fails at once ("database table is locked"),
    whatever the time that it may wait: https://www.sqlite.org/sharedcache.html#shared_cache_locking_model
    """
    from django.conf import settings

    database: Any = settings.DATABASES["default"]
    if "sqlite" in database["ENGINE"]:
        database["TEST"]["NAME"] = str(settings.CONFIG.data_dir / "test.sqlite3")
        if IS_ONE_OF_MANY:
            from tests.migrated_database import migrated_database

            shutil.copy(migrated_database(), database["TEST"]["NAME"])
    elif IS_ONE_OF_MANY:
        database["TEST"]["NAME"] = f"test_{database['NAME']}_{os.environ['PYTEST_XDIST_WORKER']}"


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_keepdb: bool) -> bool:
    """Begin with the copy that all processes of a run have: each would make the same tables."""
    from django.conf import settings

    is_file = "sqlite" in settings.DATABASES["default"]["ENGINE"]
    return IS_ONE_OF_MANY and is_file or django_db_keepdb


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: "DjangoDbBlocker") -> None:
    from tests.empty_database import restore_instead_of_flush
    from tests.people import hash_passwords_quickly

    hash_passwords_quickly()
    with django_db_blocker.unblock():
        restore_instead_of_flush()


@pytest.fixture(scope="session")
def postgres() -> "Iterator[PostgresServer]":
    """A PostgreSQL server for the session."""
    from tests.postgres import PostgresServer, programs

    if programs() is None:
        pytest.skip("POSTGRESQL TEST NOT RUN: no server here; `apt-get install postgresql` brings one")
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def served_site() -> "Iterator[Site]":
    """A whole site on a real socket whose models are scripted, for tests that leave it as it was."""
    from tests.api.openai.site import started

    with started() as site:
        yield site


@pytest.fixture
def staff(db: None) -> "Client":
    """The browser of a superuser."""
    from django.contrib.auth.models import User

    from tests.people import signed_in

    return signed_in(User.objects.create_superuser("admin"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests share a loop, as they share the browser; without one the summary says so for each."""
    tests = [item for item in items if item.get_closest_marker("browser")]
    if not tests:
        return
    from tests.playground.chromium import CHROMIUM

    reason = "BROWSER TEST NOT RUN: no Chromium here; `apt-get install chromium` or Chrome brings one"
    for item in tests:
        item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
        if not CHROMIUM.exists():
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test in a context of its own: asgiref hands a view's context to whoever called the view."""
    if inspect.iscoroutinefunction(pyfuncitem.obj):
        return None  # it runs in a task, which has one
    wanted = pyfuncitem._fixtureinfo.argnames
    copy_context().run(pyfuncitem.obj, **{name: pyfuncitem.funcargs[name] for name in wanted})
    return True


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped:
        _skipped.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """On CI everything a test needs is installed, so a skipped test there is a hole in the gate."""
    plugins = session.config.pluginmanager
    if "hypothesis" not in sys.modules and plugins.has_plugin("hypothesispytest"):
        # Its summary would import the whole library to find out that no test used it.
        plugins.unregister(name="hypothesispytest")
    if _skipped and os.environ.get("MLXSITE_REQUIRE_ALL"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _skipped and os.environ.get("MLXSITE_REQUIRE_ALL"):
        terminalreporter.write_line(f"{len(_skipped)} tests were skipped, and here none may be", red=True)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Iterator[FakeHub]":
    """The hub that this process fetches from: it has the tiny model."""
    from tests.repository.hub import FakeHub
    from tests.tiny import make_tiny_model

    with FakeHub.of(make_tiny_model(tmp_path / "there")) as hub:
        monkeypatch.delenv("HF_HUB_OFFLINE")
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        yield hub


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[None]:
    """Close the browser after the last test."""
    from tests.playground.chromium import BROWSER

    yield
    await BROWSER.close()


@pytest.fixture
def captures_end() -> Iterator[None]:
    """The capture that a test begins ends with it: its process has a switch besides the database."""
    from inference.serving.recording.capture_switch import SWITCH

    yield
    SWITCH.set(0)


@pytest.fixture(autouse=True)
def wants_browser(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("browser"):
        request.getfixturevalue("browser")
