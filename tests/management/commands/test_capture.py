import pytest
from django.core.management import CommandError

from inference.management.commands.capture import Command
from inference.models.request_record import Capture
from tests.management.fake_site import run
from tests.management.in_process_site import InProcessSite

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("captures_end")]


def test_one_is_started_listed_stopped_and_emptied() -> None:
    site = InProcessSite()
    assert run(Command, site, "list") == "There are no captures.\n"
    assert "is active until" in run(Command, site, "start", "a bug", "--hours", "2")
    capture = Capture.objects.get()
    heading, row = run(Command, site, "list").splitlines()
    assert heading.split()[:2] == ["ID", "STATE"] and "the operator" in row and row.endswith("a bug")
    assert "has ended; 0 requests" in run(Command, site, "stop", str(capture.pk))
    assert "are deleted" in run(Command, site, "delete-text", str(capture.pk))
    capture.refresh_from_db()
    assert not capture.is_on


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(CommandError, match="no capture"):
        run(Command, InProcessSite(), "stop", "5")
    with pytest.raises(CommandError, match="hours"):
        run(Command, InProcessSite(), "start", "a bug", "--hours", "1000")
