"""The admin's page of GGUF files, without a browser; tests/e2e/test_gguf.py has one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from inference.core.gguf_import import FileIdentity
from inference.repository.importing.uploads import ModelUploads
from tests.people import client_of
from tests.repository.conversions.waiting import has_begun, has_ended, until
from tests.serving.importing_site import ImportingSite

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = reverse("admin:inference_download_gguf")
PROGRESS = reverse("admin:inference_download_gguf_progress")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ImportingSite]:
    with ImportingSite.of(tmp_path) as site:
        yield site


@pytest.fixture
def staff(db: None) -> Client:
    return client_of("ann", "add_download", "view_download")


def act(client: Client, act: str, subject: str, **fields: str) -> str:
    return client.post(PAGE, {"act": act, "id": subject} | fields, follow=True).content.decode()


def test_files_are_listed_with_a_form_or_why_there_is_none(site: ImportingSite, staff: Client) -> None:
    page = staff.get(PAGE).content.decode()
    assert str(site.folder) in page and "· llama · F32" in page
    assert page.count('value="import"') == 1 and 'value="x"' in page
    assert "&#x27;clip&#x27; cannot be imported" in page
    assert 'id="upload" hidden' in page and "<noscript>" in page and "4.0\xa0MB" in page


def test_it_is_reached_from_the_pages_of_models(site: ImportingSite, staff: Client) -> None:
    for name in ("changelist", "discover"):
        assert f'href="{PAGE}"' in staff.get(reverse(f"admin:inference_download_{name}")).content.decode()
    assert f'href="{PAGE}"' in staff.get(reverse("admin:index")).content.decode()


def test_it_is_started_watched_and_ends(site: ImportingSite, staff: Client) -> None:
    page = act(staff, "import", "x.gguf", name=" small ")
    assert 'data-download="small"' in page
    until(site.register, has_begun, "small")
    (view,) = staff.get(PROGRESS).json()["downloads"]
    assert (view["heading"], view["text"]) == ("Importing", "From x.gguf, 0.0 MB.")
    assert view["files"] == [{"name": "Weights", "amount": "50 %", "percent": 50}]
    site.go()
    until(site.register, has_ended, "small")
    page = staff.get(PAGE).content.decode()
    assert "<strong>Done.</strong>" in page and 'value="dismiss"' in page


def test_it_is_cancelled_and_dismissed_and_logged(site: ImportingSite, staff: Client) -> None:
    act(staff, "import", "x.gguf")
    until(site.register, has_begun, "x")
    assert "No files were left behind." in act(staff, "cancel", "x")
    assert 'data-download="x"' not in act(staff, "dismiss", "x")
    act(staff, "cancel", "x")  # again, and what never was: nothing happens, so nothing is logged
    act(staff, "cancel", "nothing")
    act(staff, "discard", "nothing.gguf")
    written = [(one.object_repr, one.change_message) for one in LogEntry.objects.order_by("pk")]
    assert written == [("x", "Started to import x.gguf."), ("x", "Cancelled the import.")]


def test_a_file_is_deleted_by_those_who_may(site: ImportingSite, staff: Client) -> None:
    assert 'value="delete"' not in staff.get(PAGE).content.decode()
    assert staff.post(PAGE, {"act": "delete", "id": "x.gguf"}).status_code == 403
    remover = client_of("beth", "add_download", "view_download", "remove_servedmodel")
    assert remover.get(PAGE).content.decode().count('value="delete"') == 2
    act(remover, "import", "x.gguf")
    assert "The file x.gguf is being imported; cancel that first." in act(remover, "delete", "x.gguf")
    act(remover, "cancel", "x")
    assert 'data-gguf="x.gguf"' not in act(remover, "delete", "x.gguf")
    assert sorted(path.name for path in site.folder.iterdir() if path.suffix == ".gguf") == ["clip.gguf"]
    assert "There is no file" in act(remover, "delete", "../models/x.gguf")
    last = LogEntry.objects.order_by("pk").last()
    assert last and (last.object_repr, last.change_message) == ("x.gguf", "Deleted the file.")


@pytest.mark.parametrize(
    ("file", "name", "text"),
    [
        ("x.gguf", "../x", "cannot be a model&#x27;s name"),
        ("clip.gguf", "", "&#x27;clip&#x27; cannot be imported; llama"),
        ("../models/x.gguf", "", "There is no file"),
        ("/etc/passwd", "", "There is no file"),
    ],
)
def test_what_cannot_be_is_told(site: ImportingSite, staff: Client, file: str, name: str, text: str) -> None:
    page = act(staff, "import", file, name=name)
    assert text in page and 'class="error"' in page and site.register.all() == ()


def test_an_upload_is_shown_and_discarded(site: ImportingSite, staff: Client) -> None:
    file = FileIdentity(name="new.gguf", size=4_000_000, modified=1)
    uploads = ModelUploads(site.folder)
    uploads.open(file)
    uploads.append(file, 0, b"GGUF" + bytes(999_996))
    page = staff.get(PAGE).content.decode()
    assert 'data-upload="new.gguf"' in page and "1.0 MB of 4.0 MB uploaded." in page
    assert 'data-upload="new.gguf"' not in act(staff, "discard", "new.gguf")
    assert uploads.all() == []


def test_a_missing_folder_is_told(site: ImportingSite, staff: Client) -> None:
    for path in site.folder.iterdir():
        path.unlink()
    site.folder.rmdir()
    page = staff.get(PAGE).content.decode()
    assert "The folder does not exist." in page and "The folder has no GGUF files" in page


def test_who_may_not_download_sees_nothing(site: ImportingSite) -> None:
    stranger = client_of("eve", "run_servedmodel", "view_servedmodel")
    assert [stranger.get(page).status_code for page in (PAGE, PROGRESS)] == [403, 403]
    looker = client_of("kim", "view_download")
    page = looker.get(PAGE).content.decode()
    assert "x.gguf" in page and 'value="import"' not in page and 'id="upload"' not in page
    assert looker.post(PAGE, {"act": "import", "id": "x.gguf"}).status_code == 403
    assert site.register.all() == ()


def test_a_page_of_another_site_cannot_act(site: ImportingSite) -> None:
    staff = client_of("ann", "add_download", "view_download")
    strict = Client(enforce_csrf_checks=True, headers={"host": "127.0.0.1"})
    strict.cookies = staff.cookies
    assert strict.post(PAGE, {"act": "import", "id": "x.gguf"}).status_code == 403
    assert site.register.all() == ()
