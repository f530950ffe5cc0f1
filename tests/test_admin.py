"""The admin's list of models."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from inference.models import ServedModel
from inference.pool import Pool
from inference.types import ModelState
from tests.fakes import FakeRunner, card, serving

pytestmark = pytest.mark.django_db
LIST = reverse("admin:inference_servedmodel_changelist")


@pytest.fixture
def pool() -> Iterator[Pool]:
    """A pool on a loop of its own thread, as Daphne has it beside the admin's sync views."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    with serving(FakeRunner(), cards=[card("tiny"), card("org/broken", problem="no weights")]) as pool:
        asyncio.run_coroutine_threadsafe(pool.warm_up(), loop).result(5)
        yield pool
        asyncio.run_coroutine_threadsafe(pool.close(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


def client_of(user: User) -> Client:
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(user)
    return client


@pytest.fixture
def staff() -> Client:
    return client_of(User.objects.create_superuser("admin", password="x"))


def act(client: Client, action: str, name: str = "tiny") -> str:
    row = ServedModel.objects.get(name=name)
    response = client.post(LIST, {"action": action, "_selected_action": [row.pk]}, follow=True)
    return response.content.decode()


async def wait_for(pool: Pool, state: ModelState) -> None:
    async with asyncio.timeout(5):
        while pool.snapshot().of("tiny").state != state:
            await asyncio.sleep(0.01)


def reach(pool: Pool, state: ModelState) -> None:
    assert pool.loop
    asyncio.run_coroutine_threadsafe(wait_for(pool, state), pool.loop).result(6)


def test_it_lists_every_model_on_disk_with_its_state(pool: Pool, staff: Client) -> None:
    page = staff.get(LIST).content.decode()
    assert 'data-state="tiny">unloaded' in page
    assert "cannot be served: no weights" in page


def test_looking_loads_nothing(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    assert pool.snapshot().models == ()


def test_load_and_unload_are_actions(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    assert "Loading tiny." in act(staff, "load")
    reach(pool, ModelState.READY)
    assert "1.0 GB" in staff.get(LIST).content.decode()
    assert "Unloading tiny, once" in act(staff, "unload")
    reach(pool, ModelState.UNLOADED)


def test_a_model_that_cannot_be_served_says_why(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    assert (
        "cannot be served: no weights"
        in act(staff, "load", "org/broken").split("messagelist")[1].split("</ul>")[0]
    )


def test_models_that_left_the_disk_leave_the_list(pool: Pool, staff: Client) -> None:
    ServedModel.objects.create(name="gone")
    staff.get(LIST)
    assert set(ServedModel.objects.values_list("name", flat=True)) == {"tiny", "org/broken"}


def test_who_may_only_look_sees_no_actions(pool: Pool) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_servedmodel"))
    client = client_of(viewer)
    assert 'value="load"' not in client.get(LIST).content.decode()
    act(client, "load")
    assert pool.snapshot().models == ()


def test_strangers_are_sent_to_the_login() -> None:
    assert Client(headers={"host": "127.0.0.1"}).get(LIST).status_code == 302
