"""The report of all checks: it answers at once, whatever the slow ones do."""

import re
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.urls import resolve

from inference.core.background_refresh import BackgroundRefresh
from inference.core.config import BASE_DIR
from inference.serving.health.finding import CheckResult
from inference.serving.health.report import LIVE, OF_MACHINE, STORED, report, run
from tests.fakes import serving

pytestmark = pytest.mark.django_db


def check(name: str, *results: CheckResult, error: Exception | None = None) -> Any:
    def found() -> Iterator[CheckResult]:
        if error:
            raise error
        yield from results

    return SimpleNamespace(__name__=f"checks.{name}", check=found)


def test_a_check_that_cannot_look_says_so_and_the_others_go_on() -> None:
    last = CheckResult(about="last", text="fine")
    failed, fine = run([check("open_files", error=OSError("secret path")), check("last", last)])
    assert (failed.about, failed.state, fine) == ("open files", "look", last)
    assert "secret" not in failed.text


def test_each_file_of_checks_is_one_of_the_checks() -> None:
    names = {one.__name__.rpartition(".")[2] for one in (*OF_MACHINE, *STORED, *LIVE)}
    files = {file.stem for file in (BASE_DIR / "inference/serving/health/checks").glob("*.py")}
    assert names == files - {"__init__"}


def test_it_answers_at_once_and_is_complete_when_slow_checks_are_over() -> None:
    may_end = threading.Event()

    def load() -> tuple[CheckResult, ...]:
        may_end.wait(30)
        return (CheckResult(about="slow", text="it is bad", state="wrong"),)

    slow = BackgroundRefresh(load, refresh_after_s=60, timeout_s=0.1)
    with serving():
        began = time.monotonic()
        first = report(slow)
        assert time.monotonic() - began < 5
        assert not first.is_complete and "slow" not in {result.about for result in first.results}
        may_end.set()
        slow.latest()
        last = report(slow)
    assert last.is_complete and last.state == "wrong"
    assert last.results[0].about == "slow"


def test_every_link_leads_to_a_page_of_the_admin() -> None:
    sources = (BASE_DIR / "inference/serving/health/checks").glob("*.py")
    links = {link for file in sources for link in re.findall(r'"(/admin/[^"]*)"', file.read_text())}
    assert len(links) >= 5
    for link in links:
        assert resolve(re.sub(r"\{[^}]*\}", "1", link).partition("?")[0]).url_name
