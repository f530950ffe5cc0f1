"""What all tests share: a run that must be whole fails where a test was skipped."""

import os

import pytest
from django.test import Client
from hypothesis import settings

from tests.people import signed_in
from tests.playground.site import CHROMIUM

_skipped: list[str] = []
# How long an example takes says how busy the machine is.
settings.register_profile("ours", deadline=None)
settings.load_profile("ours")


@pytest.fixture
def staff(db: None) -> Client:
    """The browser of a superuser."""
    from django.contrib.auth.models import User

    return signed_in(User.objects.create_superuser("admin"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a browser its tests cannot run; the summary says so for each of them."""
    if CHROMIUM.exists():
        return
    reason = "BROWSER TEST NOT RUN: no Chromium here; `apt-get install chromium` or Chrome brings one"
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason=reason))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped:
        _skipped.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """On CI everything a test needs is installed, so a skipped test there is a hole in the gate."""
    if _skipped and os.environ.get("MLXSITE_REQUIRE_ALL"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _skipped and os.environ.get("MLXSITE_REQUIRE_ALL"):
        terminalreporter.write_line(f"{len(_skipped)} tests were skipped, and here none may be", red=True)
