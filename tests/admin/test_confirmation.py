"""The page between an action and what it does."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from django.test import Client
from django.urls import reverse

from inference.core.config import Config
from inference.core.pool_state import ModelState
from inference.models import ServedModel
from inference.pool import Pool
from inference.serving import runtime
from tests.admin.model_pages import ACT, LIST, act, form_of, reach
from tests.fakes import GB, FakeCatalog, card
from tests.people import client_of

pytestmark = pytest.mark.django_db(transaction=True)
Ask = Callable[..., str]


def ask(client: Client, action: str, **answers: str) -> str:
    """Choose an action and look at its question."""
    client.get(LIST)
    row = ServedModel.objects.get(name="tiny")
    body = {"action": action, "_selected_action": [row.pk], **answers}
    return client.post(LIST, body, follow=True).content.decode()


@pytest.fixture
def ours(pool: Pool, tmp_path: Path, settings: Any) -> Iterator[Path]:
    """The folder of tiny, where its files are this site's to delete."""
    settings.CONFIG = Config(models_dir=tmp_path)
    (tmp_path / "tiny").mkdir()
    with runtime.use_pool(pool, models=cast(Any, FakeCatalog(card("tiny", path=str(tmp_path / "tiny"))))):
        yield tmp_path / "tiny"


def loaded(pool: Pool, client: Client) -> None:
    client.get(LIST)
    act(client, "load")
    reach(pool, ModelState.READY)


def is_offered(page: str) -> bool:
    """Whether the page has what carries the action out."""
    return 'name="confirmed"' in page


@pytest.mark.parametrize("action", ["reload", "remove"])
def test_nothing_is_done_before_the_question_is_answered(ours: Path, staff: Client, action: str) -> None:
    page = ask(staff, action)
    assert 'data-preview="tiny"' in page and is_offered(page)
    assert runtime.pool().snapshot().models == () and ours.exists()


def test_nothing_is_unloaded_before_the_question_is_answered(pool: Pool, staff: Client) -> None:
    loaded(pool, staff)
    assert is_offered(ask(staff, "unload_now"))
    assert pool.snapshot().of("tiny").state == ModelState.READY


def test_there_is_no_question_where_nothing_has_to_go(pool: Pool, staff: Client) -> None:
    assert "Loading tiny." in ask(staff, "load")
    reach(pool, ModelState.READY)
    assert "Unloading tiny, once" in ask(staff, "unload")
    reach(pool, ModelState.UNLOADED)


def test_a_load_that_evicts_a_model_asks(pool: Pool, staff: Client) -> None:
    cards = card("tiny"), card("new", resident_bytes=int(9.5 * GB))
    with runtime.use_pool(pool, models=cast(Any, FakeCatalog(*cards))):
        loaded(pool, staff)
        page = staff.post(ACT, {"act": "load new"}).content.decode()
    assert "tiny is unloaded" in page and is_offered(page)
    assert pool.snapshot().of("new").state == ModelState.UNLOADED


def test_a_load_shows_what_it_takes(pool: Pool, staff: Client) -> None:
    assert "It takes 1.0 GB; 10.0 GB of 10.0 GB are free, so no model is unloaded." in ask(staff, "reload")


def test_one_model_is_called_by_its_name_and_several_are_counted(pool: Pool, staff: Client) -> None:
    with runtime.use_pool(pool, models=cast(Any, FakeCatalog(card("tiny"), card("other")))):
        assert "<h1>Reload tiny?</h1>" in ask(staff, "reload")
        rows = list(ServedModel.objects.values_list("pk", flat=True))
        page = staff.post(LIST, {"action": "reload", "_selected_action": rows}).content.decode()
    assert "<h1>Reload these 2 models?</h1>" in page


def test_what_cannot_be_done_is_not_offered(pool: Pool, staff: Client) -> None:
    page = ask(staff, "unload")
    assert "It is not in memory." in page and not is_offered(page)
    assert "<h1>Unload: not possible now</h1>" in page and "Cancel" in page
    loaded(pool, staff)
    assert not is_offered(ask(staff, "load"))


def test_those_that_can_go_on_without_the_others(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    rows = {model.name: model.pk for model in ServedModel.objects.all()}
    body = {"action": "load", "_selected_action": list(rows.values())}
    page = staff.post(LIST, body).content.decode()
    assert "<h1>Load tiny?</h1>" in page and "It cannot be served: no weights" in page
    assert re.findall(r'name="_selected_action" value="(\d+)"', page) == [str(rows["tiny"])]


def test_an_unload_shows_the_requests_that_it_disturbs(pool: Pool, staff: Client) -> None:
    loaded(pool, staff)
    assert "No requests are active; 1.0 GB are free at once." in ask(staff, "unload_now")
    assert "its self-test runs again" in ask(staff, "reload")


def test_files_are_deleted_only_for_the_name_as_it_is(ours: Path, staff: Client) -> None:
    ask(staff, "remove")
    row = ServedModel.objects.get(name="tiny")
    wrong = act(staff, "remove", **{f"typed-{row.pk}": "Tiny"})
    assert "A name was not typed correctly; nothing was changed." in wrong and ours.exists()
    assert "The files of tiny were deleted." in act(staff, "remove", **{f"typed-{row.pk}": "tiny"})
    assert not ours.exists()


def test_of_a_link_the_link_is_removed_and_that_is_reported(
    ours: Path, staff: Client, tmp_path: Path
) -> None:
    ours.rename(tmp_path / "elsewhere")
    ours.symlink_to(tmp_path / "elsewhere")
    assert "the files that it leads to stay where they are" in ask(staff, "remove")
    row = ServedModel.objects.get(name="tiny")
    shown = act(staff, "remove", **{f"typed-{row.pk}": "tiny"})
    assert "The link tiny was removed; the files that it led to are still there." in shown
    assert not ours.is_symlink() and (tmp_path / "elsewhere").is_dir()


def test_a_loaded_models_files_stay(pool: Pool, staff: Client) -> None:
    loaded(pool, staff)
    row = ServedModel.objects.get(name="tiny")
    shown = act(staff, "remove", **{f"typed-{row.pk}": "tiny"})
    assert '<li class="error">The model tiny is ready; unload it first.</li>' in shown


def test_deleting_is_a_right_of_its_own(pool: Pool) -> None:
    client = client_of("ann", "view_servedmodel", "run_servedmodel")
    page = client.get(LIST).content.decode()
    assert 'value="reload"' in page and 'value="remove"' not in page and 'value="forget"' not in page
    row = ServedModel.objects.get(name="tiny")
    assert "were deleted" not in act(client, "remove", **{f"typed-{row.pk}": "tiny"})


def test_files_that_will_not_be_deleted_are_not_promised_to_be(pool: Pool, staff: Client) -> None:
    page = ask(staff, "remove")
    assert "tiny is not in the models folder" in page and "Type tiny" not in page and not is_offered(page)
    loaded(pool, staff)
    page = ask(staff, "remove")
    assert "It is ready; unload it first. Nothing is deleted." in page
    assert "Type tiny" not in page and not is_offered(page)


def test_what_is_not_had_back_looks_dangerous(ours: Path, pool: Pool, staff: Client) -> None:
    assert 'value="Delete the files" class="dangerous"' in ask(staff, "remove")
    assert 'class="dangerous"' not in ask(staff, "reload")
    loaded(pool, staff)
    assert 'value="Unload now" class="dangerous"' in ask(staff, "unload_now")
    page = staff.get(form_of()).content.decode()
    assert re.findall(r'class="button dangerous" name="act" value="(\w+) tiny"', page) == ["unload_now"]


def gone(client: Client) -> ServedModel:
    """A model that something was chosen for, and whose folder is not there any more."""
    return ServedModel.objects.create(name="gone", aliases=["x"], is_pinned=True)


def test_a_folder_that_is_gone_is_reported(pool: Pool, staff: Client) -> None:
    body = {"action": "load", "_selected_action": [gone(staff).pk]}
    page = staff.post(LIST, body).content.decode()
    assert "Its folder does not exist." in page and not is_offered(page)


def test_a_model_that_is_gone_can_only_be_forgotten(pool: Pool, staff: Client) -> None:
    gone(staff)
    page = staff.get(form_of("gone")).content.decode()
    assert re.findall(r'name="act" value="(\w+) gone"', page) == ["forget"]
    body = {"act": "forget gone", "next": "change"}
    asked = staff.post(ACT, body).content.decode()
    assert "This deletes its pin and its settings." in asked and is_offered(asked)
    assert ServedModel.objects.filter(name="gone").exists()
    assert "The settings of gone are deleted." in act(staff, "forget", "gone", next="change")
    assert not ServedModel.objects.filter(name="gone").exists()


def test_a_model_that_is_there_is_not_forgotten(pool: Pool, staff: Client) -> None:
    ServedModel.objects.create(name="tiny", aliases=["x"])
    assert not is_offered(ask(staff, "forget"))
    assert "The folder of tiny exists" in act(staff, "forget")
    assert ServedModel.objects.get(name="tiny").aliases == ["x"]


def test_forgetting_needs_the_permission_to_delete(pool: Pool, staff: Client) -> None:
    gone(staff)
    client = client_of("ann", "view_servedmodel", "run_servedmodel")
    assert 'name="act"' not in client.get(form_of("gone")).content.decode()
    assert client.post(ACT, {"act": "forget gone"}).status_code == 403


@pytest.mark.parametrize("origin", ["index", "change", "list", "https://evil.example/", ""])
def test_one_goes_back_to_where_one_came_from(pool: Pool, staff: Client, origin: str) -> None:
    staff.get(LIST)
    known = {"index": reverse("admin:index"), "change": form_of()}
    place = known.get(origin, LIST)
    page = staff.post(ACT, {"act": "reload tiny", "next": origin}).content.decode()
    assert f'<a class="closelink" href="{place}">' in page
    name = origin if origin in known else "list"
    assert f'<input type="hidden" name="next" value="{name}">' in page
    row = ServedModel.objects.get(name="tiny")
    body = {"action": "load", "_selected_action": [row.pk], "confirmed": "yes", "next": name}
    done = staff.post(LIST, body, follow=True)
    assert done.redirect_chain == [(place, 302)] and "Loading tiny." in done.content.decode()
    assert staff.post(ACT, {"act": "pin tiny", "next": origin}).headers["Location"] == place


def test_pages_say_where_they_are(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    for address, origin in ((reverse("admin:index"), "index"), (form_of(), "change")):
        assert f'name="next" value="{origin}"' in staff.get(address).content.decode()


def test_from_the_page_of_a_model_that_is_deleted_one_goes_to_the_list(ours: Path, staff: Client) -> None:
    staff.get(LIST)
    row = ServedModel.objects.get(name="tiny")
    with runtime.use_pool(runtime.pool(), models=cast(Any, Emptying(card("tiny", path=str(ours))))):
        body = {
            "action": "remove",
            "_selected_action": [row.pk],
            "confirmed": "yes",
            f"typed-{row.pk}": "tiny",
        }
        done = staff.post(LIST, body | {"next": "change"}, follow=True)
    assert done.redirect_chain == [(LIST, 302)]


class Emptying(FakeCatalog):
    """A catalog that has nothing left when it looks again."""

    def forget(self) -> None:
        self._cards.clear()
