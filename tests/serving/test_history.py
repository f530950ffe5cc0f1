import logging
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import DatabaseError

from inference.accounts import audit_log
from inference.models import ServedModel
from inference.serving import history

pytestmark = pytest.mark.django_db


def test_an_entry_is_in_the_history_of_its_model() -> None:
    ann, row = User.objects.create_user("ann"), ServedModel.objects.create(name="tiny")
    history.write(ann, "model", "tiny", "Pinned tiny.")
    history.write(ann, "download", "x/y", "Started the download.")
    history.write(None, "model", "tiny", "Unpinned tiny.")  # the operator has no account
    entries = LogEntry.objects.order_by("pk").values_list("object_id", "object_repr", "change_message")
    assert list(entries) == [
        (str(row.pk), "tiny", "Pinned tiny."),
        (None, "x/y", "Started the download."),
    ]


def test_a_database_that_cannot_be_written_to_fails_no_action(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def locked(*args: Any, **options: Any) -> None:
        raise DatabaseError("database is locked")

    monkeypatch.setattr(audit_log, "write", locked)
    with caplog.at_level(logging.ERROR):
        history.write(User.objects.create_user("ann"), "model", "tiny", "Pinned tiny.")
    assert "Pinned tiny. This is not in the history." in caplog.text
