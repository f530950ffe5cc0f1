"""Requests in progress over /api."""

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.admin.models import LogEntry
from django.test import AsyncClient

from inference.api.operator import token
from inference.core.errors import StoppedByOperator
from inference.serving.active_requests import STREAMS
from inference.serving.recording.request_entry import RequestEntry
from inference.serving.recording.request_recorder import RequestRecorder
from tests.api.openai.asking import error_of
from tests.people import client_of

pytestmark = pytest.mark.django_db(transaction=True)


def recorder() -> RequestRecorder:
    return RequestRecorder(
        RequestEntry(at=0, principal_kind="user", principal="bob", model="tiny", kind="chat")
    )


def by(*rights: str) -> AsyncClient:
    made = AsyncClient(headers={"host": "127.0.0.1"})
    made.cookies = client_of("ann", *rights).cookies
    return made


async def stop(client: AsyncClient, **body: Any) -> Any:
    return await client.post("/api/requests/stop", json.dumps(body), content_type="application/json")


async def test_they_are_listed_and_stopped() -> None:
    ann = await sync_to_async(by)("run_servedmodel")
    with STREAMS.open(recorder()) as running:
        (shown,) = json.loads((await ann.get("/api/requests/active")).content)["requests"]
        assert (shown["id"], shown["model"], shown["principal"]) == (running.id, "tiny", "bob")
        assert (await stop(ann, id=running.id)).status_code == 200
        with pytest.raises(StoppedByOperator):
            running._check()
    entry = await LogEntry.objects.aget()
    assert entry.change_message == "Stopped a request of user bob."
    gone = await stop(ann, id=running.id)
    assert (gone.status_code, error_of(gone)["code"]) == (404, "not_found")
    assert error_of(await stop(ann))["param"] == "id"


@pytest.mark.parametrize(
    ("rights", "statuses"),
    [(["view_servedmodel"], (200, 403)), (["view_requestrecord"], (403, 403))],
)
async def test_they_need_the_permissions_of_the_dashboard(
    rights: list[str], statuses: tuple[int, int]
) -> None:
    ann = await sync_to_async(by)(*rights)
    with STREAMS.open(recorder()) as running:
        looked, stopped = await ann.get("/api/requests/active"), await stop(ann, id=running.id)
        assert (looked.status_code, stopped.status_code) == statuses
        running._check()


async def test_manage_py_may() -> None:
    headers = {"authorization": f"Bearer {token.make()}"}
    assert (await AsyncClient().get("/api/requests/active", headers=headers)).status_code == 200
    assert (await AsyncClient().get("/api/requests/active")).status_code == 403
