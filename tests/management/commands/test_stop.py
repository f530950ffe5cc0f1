import asyncio

import pytest
from django.core.management import CommandError

from inference.core.errors import StoppedByOperator
from inference.management.commands.stop import Command
from inference.serving.active_requests import STREAMS, ActiveRequest
from inference.serving.recording.request_entry import RequestEntry
from inference.serving.recording.request_recorder import RequestRecorder
from tests.management.fake_site import run
from tests.management.in_process_site import InProcessSite

pytestmark = pytest.mark.django_db(transaction=True)


def stopped(running: ActiveRequest) -> bool:
    try:
        running._check()
    except StoppedByOperator:
        return True
    return False


async def test_they_are_listed_and_stopped() -> None:
    entry = RequestEntry(at=0, principal_kind="key", principal="lap\x1btop", model="tiny", kind="chat")
    with STREAMS.open(RequestRecorder(entry)) as running:
        listed = await asyncio.to_thread(run, Command, InProcessSite())
        assert running.id in listed and "key lap?top" in listed and not stopped(running)
        printed = await asyncio.to_thread(run, Command, InProcessSite(), running.id)
        assert printed.startswith("The request is being stopped") and stopped(running)
    with pytest.raises(CommandError, match="no longer in progress"):
        await asyncio.to_thread(run, Command, InProcessSite(), running.id)


def test_none_is_said() -> None:
    assert run(Command, InProcessSite()) == "No requests are in progress.\n"
