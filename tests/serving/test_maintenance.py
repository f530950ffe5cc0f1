"""What is done for the database though nobody asks anything."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.utils import timezone

from inference.core.config import Config
from inference.models import StoredConversation, StoredResponse
from inference.models.request_record import Capture, RequestRecord
from inference.serving.maintenance import TASKS, DatabaseMaintenance, Task, forget_old
from inference.serving.recording.capture_switch import SWITCH
from tests.admin.test_request_admin import record

pytestmark = pytest.mark.django_db(transaction=True)  # a task closes its connection


@pytest.fixture(autouse=True)
def off() -> Iterator[None]:
    yield
    SWITCH.set(0)


def names() -> list[str]:
    return list(RequestRecord.objects.order_by("pk").values_list("model", flat=True))


def test_old_rows_go_with_their_text_and_so_do_those_beyond_the_newest(settings: Any) -> None:
    settings.CONFIG = Config(record_days=1, record_rows=2)
    record(model="old", at=datetime.now(UTC) - timedelta(days=1, minutes=1), prompt="a secret")
    record(model="a")
    forget_old()
    assert names() == ["a"]
    record(model="b")
    record(model="c")
    forget_old()
    assert names() == ["b", "c"]


@pytest.mark.parametrize("nothing", [{"record_days": 0}, {"record_rows": 0}])
def test_a_site_that_wants_no_record_any_more_keeps_none(settings: Any, nothing: dict[str, int]) -> None:
    settings.CONFIG = Config(**nothing)  # type: ignore[arg-type]
    record()
    forget_old()
    assert names() == []


def test_old_responses_go_though_none_is_kept_after_them(settings: Any) -> None:
    settings.CONFIG = Config(response_days=2)
    for days in (1, 3):
        kept = StoredResponse.objects.create(id=f"resp_{days}", owner="key:ann", body={})
        StoredResponse.objects.filter(pk=kept.pk).update(created_at=timezone.now() - timedelta(days=days))
        StoredConversation.objects.create(id=f"conv_{days}", owner="key:ann")
        used_at = timezone.now() - timedelta(days=days)
        StoredConversation.objects.filter(pk=f"conv_{days}").update(used_at=used_at)
    forget_old()
    assert [kept.pk for kept in StoredResponse.objects.all()] == ["resp_1"]
    assert [kept.pk for kept in StoredConversation.objects.all()] == ["conv_1"]


def test_expired_sessions_go_and_others_stay() -> None:
    for name, hours in (("over", -1), ("on", 1)):
        until = timezone.now() + timedelta(hours=hours)
        Session.objects.create(session_key=name, session_data="x", expire_date=until)
    DatabaseMaintenance(TASKS).round()
    assert list(Session.objects.values_list("session_key", flat=True)) == ["on"]


def test_a_capture_that_another_process_began_or_ended_is_noticed() -> None:
    capture = Capture.objects.create(until=datetime.now(UTC) + timedelta(hours=1), reason="a bug")
    SWITCH.set(0)  # as it is in a process that did not begin it
    DatabaseMaintenance(TASKS).round()
    assert SWITCH.is_on()
    Capture.objects.filter(pk=capture.pk).update(until=datetime.now(UTC))  # no signal, as from elsewhere
    DatabaseMaintenance(TASKS).round()
    assert not SWITCH.is_on()


def test_each_chore_has_its_own_time() -> None:
    at, done = [100.0], list[str]()
    often, rarely = Task(lambda: done.append("often"), 30), Task(lambda: done.append("rarely"), 60)
    maintenance = DatabaseMaintenance([often, rarely], clock=lambda: at[0])
    for at[0] in (100, 129, 130, 160):
        maintenance.round()
    assert done == ["often", "rarely", "often", "often", "rarely"]


def test_one_that_fails_keeps_no_other_from_being_done(caplog: Any) -> None:
    done = []

    def fail() -> None:
        raise OperationalError("locked")

    DatabaseMaintenance([Task(fail, 60), Task(lambda: done.append("next"), 60)]).round()
    assert done == ["next"] and "is tried again later: OperationalError('locked')" in caplog.text


def test_it_begins_with_the_site_and_not_when_the_first_time_is_over() -> None:
    begun = threading.Event()
    maintenance = DatabaseMaintenance([Task(begun.set, 3600)])
    maintenance.start()
    try:
        assert begun.wait(10)
    finally:
        maintenance.stop()
