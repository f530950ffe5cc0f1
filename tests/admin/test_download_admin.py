"""The admin's page about downloads, without a browser; tests/e2e/test_downloads.py has one."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse

from inference.repository.downloads.active_download import DownloadState
from inference.repository.downloads.register import Downloads
from inference.repository.files import staging
from inference.serving import runtime
from tests.fakes import card, serving
from tests.people import client_of
from tests.repository.hub import LISTING, REPO, FakeHub, Refusal

pytestmark = pytest.mark.django_db
PAGE = reverse("admin:inference_download_changelist")
PROGRESS = reverse("admin:inference_download_progress")
WEIGHTS = "model.safetensors"


@pytest.fixture
def models(tmp_path: Path, hub: FakeHub) -> Iterator[Path]:
    register = Downloads(tmp_path / "models", on_done=lambda: None)
    with runtime.use_downloads(register):
        yield tmp_path / "models"
        register.close()


@pytest.fixture
def staff() -> Client:
    return client_of("ann", "view_download", "add_download")


def act(client: Client, what: str, name: str = REPO) -> str:
    return client.post(PAGE, {"act": what, "id": name}, follow=True).content.decode()


def logged() -> QuerySet[LogEntry]:
    return LogEntry.objects.order_by("pk")


def until(client: Client, state: DownloadState) -> dict[str, Any]:
    end = time.monotonic() + 30
    while True:
        found = client.get(PROGRESS).json()["downloads"]
        if found and found[0]["state"] == state:
            return dict(found[0])
        assert time.monotonic() < end, found
        time.sleep(0.05)


def test_a_model_is_downloaded(staff: Client, models: Path, hub: FakeHub) -> None:
    assert "There are no downloads." in staff.get(PAGE).content.decode()
    assert f'data-download="{REPO}"' in act(staff, "start", f" {REPO} ")
    done = until(staff, DownloadState.DONE)
    assert done["percent"] == 100 and {file["name"] for file in done["files"]} == set(hub.files)
    assert (models / REPO / WEIGHTS).read_bytes() == hub.files[WEIGHTS]


def test_what_was_typed_is_kept_with_what_is_wrong_about_it(staff: Client, models: Path) -> None:
    page = act(staff, "start", 'https://elsewhere.example/org/tiny?"><b>')
    assert "exact id on the hub" in page
    assert 'value="https://elsewhere.example/org/tiny?&quot;&gt;&lt;b&gt;"' in page
    page = act(staff, "start")
    assert "elsewhere.example" not in page and f'data-download="{REPO}"' in page


@pytest.mark.parametrize(
    "address",
    [f"https://huggingface.co/{REPO}", f" huggingface.co/{REPO}/tree/main ", f"https://hf.co/{REPO}?x"],
)
def test_the_address_of_a_models_page_is_as_good_as_its_id(staff: Client, models: Path, address: str) -> None:
    assert f'data-download="{REPO}"' in act(staff, "start", address)


def test_what_is_not_on_the_hub_is_dismissed_and_not_resumed(staff: Client, models: Path) -> None:
    act(staff, "start", "org/other")
    assert "The hub has no model org/other" in until(staff, DownloadState.REFUSED)["text"]
    page = staff.get(PAGE).content.decode()
    assert 'value="dismiss">Dismiss' in page and "Resume" not in page and 'value="discard"' not in page
    assert "There are no downloads." in act(staff, "dismiss", "org/other")


def test_what_cannot_be_served_is_dismissed_too(staff: Client, models: Path, hub: FakeHub) -> None:
    del hub.files["config.json"]
    act(staff, "start")
    assert "has no config.json" in until(staff, DownloadState.REFUSED)["text"]
    assert not staging.draft_of(models / REPO).exists()


def test_every_page_has_a_line_about_what_runs(staff: Client, models: Path, hub: FakeHub) -> None:
    hub.holds_after[WEIGHTS] = 1000
    line = f'<li data-running="{REPO}">'
    index = reverse("admin:index")
    act(staff, "start")
    assert line in staff.get(index).content.decode() and line not in staff.get(PAGE).content.decode()
    assert line not in client_of("beth", "view_servedmodel").get(index).content.decode()
    hub.go_on.set()
    assert until(staff, DownloadState.DONE)["kind"] == ""  # no catalog of this test has it
    assert "running-downloads" not in staff.get(index).content.decode()


def test_one_that_is_done_leads_to_a_chat_if_it_can_chat(staff: Client, models: Path) -> None:
    act(staff, "start")
    until(staff, DownloadState.DONE)
    for kind, expected in (("chat", True), ("embedding", False)):
        with serving(cards=[card(REPO, kind=kind)]):
            assert until(staff, DownloadState.DONE)["kind"] == kind
            assert ("Chat now" in staff.get(PAGE).content.decode()) is expected
    with serving(cards=[card(REPO, problem="no weights")]):
        assert until(staff, DownloadState.DONE)["kind"] == ""


def test_it_is_cancelled_resumed_and_discarded(staff: Client, models: Path, hub: FakeHub) -> None:
    hub.holds_after[WEIGHTS] = 1000
    act(staff, "start")
    assert 'value="cancel"' in staff.get(PAGE).content.decode()
    page = act(staff, "cancel")
    assert "Cancelled." in page and 'value="start">Resume' in page
    act(staff, "start")
    act(staff, "cancel")
    assert f'data-download="{REPO}"' not in act(staff, "discard")
    assert not staging.draft_of(models / REPO).exists()
    written = [(entry.user.username, entry.object_repr, entry.change_message) for entry in logged()]
    assert written == [
        ("ann", REPO, "Started the download."),
        ("ann", REPO, "Cancelled the download."),
        ("ann", REPO, "Started the download."),
        ("ann", REPO, "Cancelled the download."),
        ("ann", REPO, "Discarded the partial download."),
    ]
    assert REPO in staff.get("/admin/").content.decode()  # under "Recent actions"


def test_a_beginning_beside_the_model_can_only_be_discarded(staff: Client, models: Path) -> None:
    staging.draft_of(models / REPO).mkdir(parents=True)
    (models / REPO).mkdir()
    page = staff.get(PAGE).content.decode()
    assert "Incomplete." in page and 'value="start">Resume' not in page and 'value="discard"' in page
    assert f'data-download="{REPO}"' not in act(staff, "discard")
    assert (models / REPO).exists() and not staging.draft_of(models / REPO).exists()


def test_a_failure_is_shown_as_a_sentence(staff: Client, models: Path, hub: FakeHub) -> None:
    hub.refusals[LISTING] = [Refusal(403, {"X-Error-Code": "GatedRepo"})]
    act(staff, "start")
    assert "Accept its licence" in until(staff, DownloadState.FAILED)["text"]


def test_what_cannot_begin_is_reported(staff: Client, models: Path) -> None:
    assert "exact id on the hub" in act(staff, "start", "https://elsewhere.example/a/b")
    assert not logged()
    (models / REPO).mkdir(parents=True)
    assert "already exists" in act(staff, "start")


def test_a_name_is_no_markup(staff: Client, models: Path, hub: FakeHub) -> None:
    assert "<b>" not in act(staff, "start", "a/<b>")


def test_what_is_unknown_does_nothing(staff: Client, models: Path) -> None:
    assert "There are no downloads." in act(staff, "explode")


def test_a_viewer_begins_nothing(models: Path) -> None:
    looker = client_of("eve", "view_download")
    assert "<form" not in looker.get(PAGE).content.decode().partition('id="content"')[2]
    assert looker.post(PAGE, {"act": "start", "id": REPO}).status_code == 403
    assert runtime.downloads().all() == ()


def test_a_user_without_permissions_sees_nothing(models: Path) -> None:
    stranger = client_of("eve")
    assert [stranger.get(page).status_code for page in (PAGE, PROGRESS)] == [403, 403]
    assert Client(headers={"host": "127.0.0.1"}).get(PAGE)["Location"].startswith("/admin/login/")


def test_another_site_begins_nothing(models: Path) -> None:
    user = User.objects.create_superuser("admin", password="x")
    client = Client(enforce_csrf_checks=True, headers={"host": "127.0.0.1"})
    client.force_login(user)
    assert client.post(PAGE, {"act": "start", "id": REPO}).status_code == 403
    assert runtime.downloads().all() == ()


@pytest.mark.parametrize("path", ["add/", "1/change/", "1/delete/", "1/history/"])
def test_there_are_no_pages_for_a_table_that_is_not_there(staff: Client, path: str) -> None:
    assert staff.get(f"{PAGE}{path}").status_code == 404


def test_what_does_nothing_is_not_logged(staff: Client) -> None:
    for what in ("cancel", "discard", "dismiss", "nonsense"):
        act(staff, what, "no/such")
    assert not logged().exists()
