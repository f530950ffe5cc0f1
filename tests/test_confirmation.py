"""The page between an action and what it does."""

from collections.abc import Callable

import pytest
from django.test import Client

from inference.models import ServedModel
from inference.pool import Pool
from inference.types import ModelState
from tests.people import client_of
from tests.test_model_admin import LIST, act, pool, reach

__all__ = ["pool"]  # a fixture
pytestmark = pytest.mark.django_db(transaction=True)
Ask = Callable[..., str]


def ask(client: Client, action: str, **answers: str) -> str:
    """Choose an action and look at its question."""
    client.get(LIST)
    row = ServedModel.objects.get(name="tiny")
    body = {"action": action, "_selected_action": [row.pk], **answers}
    return client.post(LIST, body, follow=True).content.decode()


@pytest.mark.parametrize("action", ["load", "unload", "unload_now", "reload", "remove"])
def test_nothing_is_done_before_the_question_is_answered(pool: Pool, staff: Client, action: str) -> None:
    page = ask(staff, action)
    assert 'data-foretold="tiny"' in page and 'name="confirmed"' in page
    assert pool.snapshot().models == ()


def test_a_load_tells_what_it_takes(pool: Pool, staff: Client) -> None:
    assert "It takes 1.0 GB; 10.0 GB of 10.0 GB are free, so nothing has to go." in ask(staff, "load")


def test_an_unload_tells_who_is_disturbed(pool: Pool, staff: Client) -> None:
    assert "It is not in memory." in ask(staff, "unload")
    act(staff, "load")
    reach(pool, ModelState.READY)
    assert "Nobody uses it now; 1.0 GB are free again at once." in ask(staff, "unload_now")
    assert "its self-test runs again" in ask(staff, "reload")


def test_files_are_deleted_only_for_the_name_as_it_is(pool: Pool, staff: Client) -> None:
    ask(staff, "remove")
    row = ServedModel.objects.get(name="tiny")
    wrong = act(staff, "remove", **{f"typed-{row.pk}": "Tiny"})
    assert "A name was not typed as it is; nothing was done." in wrong
    right = act(staff, "remove", **{f"typed-{row.pk}": "tiny"})
    assert "tiny is not in the models folder" in right  # the card's folder is another's to delete


def test_a_loaded_models_files_stay(pool: Pool, staff: Client) -> None:
    ask(staff, "load")
    act(staff, "load")
    reach(pool, ModelState.READY)
    row = ServedModel.objects.get(name="tiny")
    assert "tiny is ready; unload it first." in act(staff, "remove", **{f"typed-{row.pk}": "tiny"})


def test_deleting_is_a_right_of_its_own(pool: Pool) -> None:
    client = client_of("ann", "view_servedmodel", "run_servedmodel")
    page = client.get(LIST).content.decode()
    assert 'value="reload"' in page and 'value="remove"' not in page
    row = ServedModel.objects.get(name="tiny")
    assert "were deleted" not in act(client, "remove", **{f"typed-{row.pk}": "tiny"})


def test_files_that_will_not_be_deleted_are_not_promised_to_be(pool: Pool, staff: Client) -> None:
    assert "tiny is not in the models folder" in ask(staff, "remove")
    act(staff, "load")
    reach(pool, ModelState.READY)
    assert "It is ready; unload it first. Nothing is deleted now." in ask(staff, "remove")


def test_a_folder_that_is_gone_is_told(pool: Pool, staff: Client) -> None:
    ServedModel.objects.create(name="gone", aliases=["x"])
    row = ServedModel.objects.get(name="gone")
    body = {"action": "load", "_selected_action": [row.pk]}
    assert "Its folder is not there now." in staff.post(LIST, body).content.decode()
