from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User

from inference.core.errors import NotFound
from inference.models.request_record import Capture, RequestRecord
from inference.serving import captures
from tests.models.test_request_record import record as make_record

pytestmark = pytest.mark.django_db


def test_one_is_started_listed_stopped_and_emptied() -> None:
    ann = User.objects.create_user("ann")
    made = captures.start("a bug", 2, ann)
    assert made.is_active and made.began_by == "ann" and made.requests == 0
    assert timedelta(hours=1.9) < made.until - datetime.now(UTC) <= timedelta(hours=2)
    make_record("tiny", prompt="secret", answer="text")
    (shown,) = captures.listed()
    assert shown.requests == 1
    assert not captures.stop(made.id, None).is_active
    assert captures.stop(made.id, ann).until < made.until
    assert captures.delete_text(made.id, ann).requests == 0
    assert RequestRecord.objects.get().prompt == ""
    texts = list(LogEntry.objects.order_by("pk").values_list("change_message", flat=True))
    assert texts == [
        "Started.",
        "Stopped. The operator did this.",
        "Deleted the prompts and answers of 1 request.",
    ]


def test_the_operator_has_no_account() -> None:
    made = captures.start("a bug", 1, None)
    captures.stop(made.id, None)
    assert Capture.objects.get().began_by is None and not LogEntry.objects.exists()


def test_an_unknown_one_is_refused() -> None:
    with pytest.raises(NotFound):
        captures.stop(5, None)
    with pytest.raises(NotFound):
        captures.delete_text(5, None)
