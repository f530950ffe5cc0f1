"""The operator's API for GGUF files; what it does is tests/repository/importing."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.admin.models import LogEntry
from django.test import AsyncClient, Client
from pydantic import SecretStr

from inference.core import disk_space
from inference.core.gguf_import import FileIdentity
from inference.serving import gguf_imports
from tests.api.openai.asking import error_of
from tests.people import client_of
from tests.repository.conversions.waiting import has_begun, until
from tests.repository.files.test_gguf import gguf
from tests.serving.importing_site import ImportingSite

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "/api/gguf"
CONTENT = gguf(data=100)
NEW: dict[str, Any] = {"name": "new.gguf", "size": len(CONTENT), "modified": 1_700_000_000_123}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ImportingSite]:
    with ImportingSite.of(tmp_path) as site:
        yield site


async def post(path: str = "", **body: Any) -> Any:
    return await AsyncClient().post(f"{ADDRESS}{path}", json.dumps(body), content_type="application/json")


async def send(offset: object, part: bytes, **changes: Any) -> Any:
    query = urlencode({**NEW, "offset": offset, **changes})
    return await AsyncClient().post(
        f"{ADDRESS}/uploads/part?{query}", part, content_type="application/octet-stream"
    )


async def listed() -> Any:
    return json.loads((await AsyncClient().get(ADDRESS)).content)


async def test_the_files_of_the_folder_are_listed(site: ImportingSite) -> None:
    answer = await listed()
    clip, x = answer["files"]
    assert (x["name"], x["architecture"], x["quantization"], x["problem"]) == ("x.gguf", "llama", "F32", "")
    assert "'clip' cannot be imported" in clip["problem"]
    assert answer["uploads"] == [] and answer["part_bytes"] == 4 * 2**20 and answer["most_bytes"] > 10**11


async def test_one_is_imported_listed_and_cancelled(site: ImportingSite) -> None:
    response = await post("/imports", file="x.gguf", name="small")
    started = json.loads(response.content)
    assert (response.status_code, started["name"], started["state"]) == (200, "small", "waiting")
    assert started["plan"]["job"]["source"] == "x.gguf"
    until(site.register, has_begun, "small")
    shown = json.loads((await AsyncClient().get(f"{ADDRESS}/imports")).content)
    assert shown[0]["progress"]["steps"] == [{"name": "import", "done": 1, "size": 2}]
    cancelled = json.loads((await post("/imports/cancel", name="small")).content)
    assert cancelled[0]["state"] == "cancelled"


@pytest.mark.parametrize(
    ("body", "param", "text"),
    [
        ({"file": "nothing.gguf"}, "file", "There is no file 'nothing.gguf'"),
        ({"file": "../models/x.gguf"}, "file", "There is no file"),
        ({"file": "clip.gguf"}, "file", "'clip' cannot be imported"),
        ({"file": "x.gguf", "name": "../x"}, "name", "cannot be a model's name"),
        ({"file": "x.gguf", "colour": "red"}, "colour", "colour"),
    ],
)
async def test_what_cannot_be_is_refused(
    site: ImportingSite, body: dict[str, Any], param: str, text: str
) -> None:
    response = await post("/imports", **body)
    assert (response.status_code, error_of(response)["param"]) == (400, param)
    assert text in error_of(response)["message"]
    assert site.register.all() == ()


async def test_a_file_is_uploaded_in_parts(site: ImportingSite) -> None:
    opened = json.loads((await post("/uploads", **NEW)).content)
    assert opened == NEW | {"received": 0}
    assert json.loads((await send(0, CONTENT[:50])).content)["received"] == 50
    assert (await listed())["uploads"] == [NEW | {"received": 50}]
    again = await send(0, CONTENT[:50])
    assert (again.status_code, error_of(again)["param"]) == (400, "offset")
    assert json.loads((await post("/uploads", **NEW)).content)["received"] == 50
    assert json.loads((await send(50, CONTENT[50:])).content)["received"] == len(CONTENT)
    assert "new.gguf" in [file["name"] for file in (await listed())["files"]]
    assert (await post("/imports", file="new.gguf")).status_code == 200


async def test_an_upload_is_discarded(site: ImportingSite) -> None:
    await post("/uploads", **NEW)
    assert json.loads((await post("/uploads/discard", name="new.gguf")).content)["uploads"] == []
    assert (await post("/uploads/discard", name="new.gguf")).status_code == 200
    assert (await send(0, CONTENT)).status_code == 404


@pytest.mark.parametrize("param", ["offset", "size", "modified"])
@pytest.mark.parametrize("value", ["", "-1", "x", "1.5", "²", "9" * 20])
async def test_a_part_needs_good_numbers(site: ImportingSite, param: str, value: str) -> None:
    response = await send(**{"part": CONTENT, "offset": "0", param: value})  # type: ignore[arg-type]
    assert (response.status_code, error_of(response)["param"]) == (400, param)


async def test_a_part_has_the_limit_of_any_body(site: ImportingSite, settings: Any) -> None:
    settings.CONFIG = settings.CONFIG.model_copy(update={"max_body_bytes": 1024})
    assert (await listed())["part_bytes"] == 1024
    await post("/uploads", **NEW | {"size": 5000})
    assert (await send(0, b"GGUF" + bytes(2000), size=5000)).status_code == 413
    assert (await send(0, b"GGUF" + bytes(1020), size=5000)).status_code == 200


async def test_a_full_disk_is_a_507(site: ImportingSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_space, "free", lambda place: disk_space.SPARE_BYTES)
    response = await post("/uploads", **NEW)
    assert response.status_code == 507 and "make room first" in error_of(response)["message"]


async def test_a_form_of_another_site_cannot_send_a_part(site: ImportingSite) -> None:
    await post("/uploads", **NEW)
    response = await AsyncClient().post(
        f"{ADDRESS}/uploads/part?{urlencode(NEW | {'offset': 0})}", CONTENT, content_type="text/plain"
    )
    assert response.status_code == 415
    foreign = {"origin": "http://evil.example"}
    assert (await AsyncClient().get(ADDRESS, headers=foreign)).status_code == 403


@pytest.mark.parametrize(
    ("rights", "statuses"),
    [
        (["add_download"], (200, 200)),
        (["view_download"], (200, 403)),
        (["run_servedmodel"], (403, 403)),
    ],
)
def test_users_need_the_right_to_download(
    site: ImportingSite, settings: Any, rights: list[str], statuses: tuple[int, int]
) -> None:
    settings.CONFIG = settings.CONFIG.model_copy(update={"api_key": SecretStr("a-secret-of-the-site-12345")})
    client = client_of("ann", *rights)
    looked = client.get(ADDRESS)
    opened = client.post(f"{ADDRESS}/uploads", json.dumps(NEW), content_type="application/json")
    assert (looked.status_code, opened.status_code) == statuses
    assert bool(gguf_imports.uploads().all()) == (statuses[1] == 200)


def test_a_session_needs_its_token(site: ImportingSite, settings: Any) -> None:
    settings.CONFIG = settings.CONFIG.model_copy(update={"api_key": SecretStr("a-secret-of-the-site-12345")})
    strict = Client(enforce_csrf_checks=True, headers={"host": "127.0.0.1"})
    strict.cookies = client_of("ann", "add_download").cookies
    gguf_imports.uploads().open(FileIdentity(**NEW))
    url = f"{ADDRESS}/uploads/part?{urlencode({**NEW, 'offset': 0})}"
    refused = strict.post(url, CONTENT, content_type="application/octet-stream")
    assert refused.status_code == 403 and "CSRF" in error_of(refused)["message"]


async def test_nobody_gets_in_on_a_site_with_a_key(site: ImportingSite, settings: Any) -> None:
    settings.CONFIG = settings.CONFIG.model_copy(update={"api_key": SecretStr("a-secret-of-the-site-12345")})
    answers = [await AsyncClient().get(ADDRESS), await post("/uploads", **NEW), await send(0, CONTENT)]
    assert [answer.status_code for answer in answers] == [401, 401, 401]


async def test_the_default_folder_is_made(tmp_path: Path, settings: Any) -> None:
    settings.CONFIG = settings.CONFIG.model_copy(update={"data_dir": tmp_path, "gguf_dir": None})
    assert (await listed())["files"] == [] and (tmp_path / "gguf").is_dir()
    settings.CONFIG = settings.CONFIG.model_copy(update={"gguf_dir": tmp_path / "nowhere"})
    refused = await post("/uploads", **NEW)
    assert refused.status_code == 400 and "MLX_SERVER_GGUF_DIR" in error_of(refused)["message"]
    assert not (tmp_path / "nowhere").exists()


def test_what_users_do_is_in_the_admins_history(site: ImportingSite) -> None:
    ann = client_of("ann", "add_download", "view_download")

    def sent(path: str, **body: Any) -> None:
        response = ann.post(f"{ADDRESS}{path}", json.dumps(body), content_type="application/json")
        assert response.status_code == 200, response.content

    sent("/uploads", **NEW)
    query = urlencode({**NEW, "offset": 0})
    ann.post(f"{ADDRESS}/uploads/part?{query}", CONTENT, content_type="application/octet-stream")
    sent("/imports", file="new.gguf", name="new")
    sent("/imports/cancel", name="new")
    sent("/uploads", **{**NEW, "name": "other.gguf"})
    sent("/uploads/discard", name="other.gguf")
    written = [(one.object_repr, one.change_message) for one in LogEntry.objects.order_by("pk")]
    assert written == [
        ("new.gguf", "Uploaded the file."),
        ("new", "Started to import new.gguf."),
        ("new", "Cancelled the import."),
        ("other.gguf", "Discarded the upload."),
    ]


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"name": "x.txt"}, "name"),
        ({"name": "../x.gguf"}, "name"),
        ({"name": "x.gguf"}, "name"),  # there is one
        ({"size": 0}, "size"),
        ({"size": 10**18}, "size"),
        ({"modified": 10**15}, "modified"),
    ],
)
async def test_an_upload_is_refused_by_its_field(
    site: ImportingSite, changes: dict[str, Any], param: str
) -> None:
    response = await post("/uploads", **NEW | changes)
    assert (response.status_code, error_of(response)["param"]) == (400, param)


def test_a_file_is_deleted_by_those_who_may(site: ImportingSite) -> None:
    def delete(client: Client, file: str = "x.gguf") -> Any:
        body = json.dumps({"file": file})
        return client.post(f"{ADDRESS}/delete", body, content_type="application/json")

    assert delete(client_of("ann", "add_download")).status_code == 403
    assert delete(client_of("bob", "remove_servedmodel")).status_code == 403
    assert delete(Client()).status_code == 403
    cleo = client_of("cleo", "add_download", "remove_servedmodel")
    assert error_of(delete(cleo, "nothing.gguf"))["param"] == "file"
    assert [file["name"] for file in delete(cleo).json()["files"]] == ["clip.gguf"]
    entry = LogEntry.objects.get()
    assert (entry.object_repr, entry.change_message) == ("x.gguf", "Deleted the file.")
