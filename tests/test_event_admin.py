"""The admin's list of what the pool decided."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from inference.models import PoolEvent
from inference.types import PoolEvent as Event
from tests.fakes import GB
from tests.people import client_of

pytestmark = pytest.mark.django_db
EVENTS = reverse("admin:inference_poolevent_changelist")


@pytest.fixture
def events() -> None:
    evicted = Event(kind="evicted", model="b", text="evicted b: idle 412 s", at=1.7e9, needed_bytes=5 * GB)
    for event in (evicted, Event(kind="loaded", model="tiny", text="loaded tiny in 2 s", at=1.7e9)):
        PoolEvent.objects.record(event)


@pytest.mark.usefixtures("events")
@pytest.mark.parametrize(
    "query", [{}, {"kind": "evicted"}, {"model": "b"}, {"q": "412"}, {"at__year": "2023", "at__month": "11"}]
)
def test_the_pools_decisions_are_listed_searched_and_filtered(staff: Client, query: dict[str, str]) -> None:
    page = staff.get(EVENTS, query).content.decode()
    assert "evicted b: idle 412 s" in page and "5.0 GB" in page
    assert ("loaded tiny" in page) == ("kind" not in query and "model" not in query and "q" not in query)


@pytest.mark.usefixtures("events")
def test_a_decision_cannot_be_changed(staff: Client) -> None:
    event = PoolEvent.objects.get(kind="evicted")
    address = reverse("admin:inference_poolevent_change", args=[event.pk])
    assert "evicted b" in staff.get(address).content.decode()
    assert staff.post(address, {"text": "other"}).status_code == 403


@pytest.mark.usefixtures("events")
def test_decisions_are_for_those_who_may_see_them() -> None:
    assert client_of("viewer", "view_servedmodel").get(EVENTS).status_code == 403
    User.objects.all().delete()
    assert client_of("viewer", "view_poolevent").get(EVENTS).status_code == 200
