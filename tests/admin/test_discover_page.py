"""The admin's page Discover, without a browser; tests/e2e/test_discover.py has one."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from inference.repository.catalog import Catalog
from inference.repository.downloads.register import Downloads
from inference.serving import runtime
from inference.serving.discovery import hub_models
from inference.serving.discovery.suggested_models import SUGGESTED
from tests.fakes import GB, FakeRunner, fake_pool
from tests.people import client_of
from tests.repository.discovery.hub_answers import QWEN, entry
from tests.repository.hub import LISTING, REPO, SEARCH, FakeHub, Refusal
from tests.tiny import make_tiny_model

pytestmark = pytest.mark.django_db
PAGE = reverse("admin:inference_download_discover")
VERDICT = reverse("admin:inference_download_verdict")
DOWNLOADS = reverse("admin:inference_download_changelist")


@pytest.fixture(autouse=True)
def models(tmp_path: Path, hub: FakeHub) -> Iterator[Path]:
    """A models folder, whose catalog and downloads are this process's."""
    folder = tmp_path / "models"
    hub_models.forget()
    catalog = Catalog(folder, use_hub_cache=False)
    register = Downloads(folder, on_done=catalog.forget)
    pool = fake_pool([FakeRunner()], limit_bytes=10 * GB)
    with runtime.use_pool(pool, models=catalog), runtime.use_downloads(register):
        yield folder
        register.close()


@pytest.fixture
def staff() -> Client:
    return client_of("ann", "view_download", "add_download")


def look(client: Client, **query: str) -> str:
    return client.get(PAGE, query).content.decode()


def ids(page: str) -> list[str]:
    return [part.partition('"')[0] for part in page.split('data-model="')[1:]]


def judge(client: Client, repo: str = REPO) -> dict[str, Any]:
    return dict(client.get(VERDICT, {"id": repo}).json())


def test_without_words_the_suggestions_are_shown_and_the_hub_is_not_asked(
    staff: Client, hub: FakeHub
) -> None:
    page = look(staff)
    assert ids(page) == [model.id for model in SUGGESTED]
    assert "Recommended models, as of 29 November 2026" in page
    assert 'data-verdict="bad" role="status">Does not fit: it needs' in page
    assert 'data-verdict="asked"' not in page and not hub.heard


def test_words_find_models_with_their_facts_and_a_link_to_the_verdict(staff: Client, hub: FakeHub) -> None:
    hub.results = [entry(), entry("org/other", gated="manual")]
    page = look(staff, q="qwen 4b", sort="likes")
    assert ids(page) == [QWEN, "org/other"]
    assert "2.0 GB · 4bit · qwen3 · apache-2.0 · uses tools · thinks" in page
    assert "123,456 downloads in the last month, 42 likes, changed on 2026-10-03" in page
    assert f'data-verdict="asked" role="status"><a href="?q={QWEN.replace("/", "%2F")}">Does it fit?' in page
    assert page.count("The model is gated: accept its licence") == 1
    assert "sort=likes" in hub.searches[0] and "Recommended models" not in page


def test_more_results_are_one_link_away(staff: Client, hub: FakeHub) -> None:
    hub.results = [entry(f"org/model-{number}") for number in range(150)]
    page = look(staff, q="m")
    assert len(ids(page)) == 20 and "most=40" in page
    assert len(ids(look(staff, q="m", most="40"))) == 40
    assert "Show more" not in look(staff, q="m", most="100")


def test_nothing_found_says_what_to_try(staff: Client) -> None:
    page = look(staff, q="zzz")
    assert "Try fewer search terms or search all safetensors models." in page and "Recommended models" in page
    assert "Try fewer search terms." in look(staff, q="zzz", format="safetensors")


@pytest.mark.parametrize(
    "given",
    [{"sort": "x"}, {"format": "x"}, {"most": "-3"}, {"most": "²"}, {"most": ""}, {"most": "9" * 5000}],
)
def test_an_odd_address_is_a_plain_search(staff: Client, hub: FakeHub, given: dict[str, str]) -> None:
    look(staff, q="m", **given)
    assert "sort=downloads&limit=20" in hub.searches[0] and "filter=mlx" in hub.searches[0]


def test_the_verdict_of_a_row_comes_on_its_own(staff: Client, hub: FakeHub) -> None:
    found = judge(staff)
    assert (found["text"], found["tone"]) == ("Fits, with its whole context of 2,048 tokens.", "good")
    assert found["can_download"] and not found["gated"]
    assert found["facts"][-3:] == ["2,048 tokens of context", "uses tools", "prompt format: llama3"]


@pytest.mark.parametrize(
    ("broken", "tone", "can_download", "text"),
    [
        ("config.json", "bad", False, "has no config.json"),
        ("model.safetensors", "bad", False, "has no safetensors weights"),
        ("tokenizer.json", "bad", False, "has no tokenizer"),
    ],
)
def test_what_is_no_model_cannot_be_downloaded(
    staff: Client, hub: FakeHub, broken: str, tone: str, can_download: bool, text: str
) -> None:
    del hub.files[broken]
    found = judge(staff)
    assert (found["tone"], found["can_download"]) == (tone, can_download) and text in found["text"]


def test_an_unknown_kind_of_model_cannot_be_downloaded(staff: Client, hub: FakeHub) -> None:
    hub.files["config.json"] = hub.files["config.json"].replace(b'"llama"', b'"tomorrow"')
    found = judge(staff)
    assert found["text"] == "It cannot be served: mlx-lm does not support this kind of model (tomorrow)."
    assert not found["can_download"] and "tomorrow" in found["facts"]


@pytest.mark.parametrize("status", [429, 500])
def test_a_hub_in_trouble_leaves_the_download_possible(staff: Client, hub: FakeHub, status: int) -> None:
    hub.refusals[LISTING] = [Refusal(status)]
    found = judge(staff)
    assert (found["tone"], found["can_download"]) == ("unknown", True)


def test_gated_models_say_how(staff: Client, hub: FakeHub) -> None:
    hub.facts["gated"] = "auto"
    assert judge(staff)["gated"] == f"{hub.endpoint}/{REPO}"
    hub_models.forget()
    hub.refusals["config.json"] = [Refusal(403, {"X-Error-Code": "GatedRepo"})]
    assert "Accept its licence at" in judge(staff)["text"]


@pytest.mark.parametrize("typed", [REPO, f"https://huggingface.co/{REPO}", f"hf.co/{REPO}/tree/main"])
def test_an_address_shows_the_model_with_its_verdict_without_a_script(
    staff: Client, hub: FakeHub, typed: str
) -> None:
    page = look(staff, q=typed)
    assert ids(page) == [REPO] and "Fits, with its whole context of 2,048 tokens." in page
    assert 'value="start">Download' in page and not hub.searches


def test_an_id_that_does_not_exist_is_searched_for(staff: Client, hub: FakeHub) -> None:
    hub.results = [entry()]
    page = look(staff, q="mlx-community/Qwen3-4B")
    assert "The hub has no model mlx-community/Qwen3-4B." in page and ids(page) == [QWEN]


@pytest.mark.parametrize(
    ("status", "text"),
    [(401, "does not accept this server"), (429, "limiting the rate"), (500, "internal problem")],
)
def test_without_a_search_the_list_is_shown(staff: Client, hub: FakeHub, status: int, text: str) -> None:
    hub.refusals[SEARCH] = [Refusal(status)]
    page = look(staff, q="qwen")
    assert text in page and ids(page) == [model.id for model in SUGGESTED]


def test_offline_the_list_is_shown(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    page = look(staff, q="qwen")
    assert "HF_HUB_OFFLINE is set" in page and ids(page) == [model.id for model in SUGGESTED]


def test_a_download_begins_shows_its_progress_and_ends_in_a_chat(staff: Client, hub: FakeHub) -> None:
    hub.holds_after["model.safetensors"] = 1000
    hub.results = [entry(REPO)]
    look(staff, q="tiny")
    query = "q=tiny&sort=downloads&format=mlx&most=20"
    begun = staff.post(DOWNLOADS, {"act": "start", "id": REPO, "discover": query}, follow=True)
    assert begun.redirect_chain == [(f"{PAGE}?{query}", 302)]
    page = begun.content.decode()
    assert "data-running" in page and f'aria-label="Download of {REPO}"' in page
    hub.holds_after.clear()
    hub.go_on.set()
    end = time.monotonic() + 30
    while "Chat now" not in (page := look(staff, q="tiny")):
        assert time.monotonic() < end, runtime.downloads().all()
        time.sleep(0.1)
    assert 'href="/?model=org%2Ftiny"' in page and 'value="start"' not in page


def test_a_model_that_is_here_and_broken_leads_to_no_chat(staff: Client, models: Path) -> None:
    make_tiny_model(models / REPO)
    runtime.catalog().forget()
    assert 'href="/?model=org%2Ftiny"' in look(staff, q=REPO)
    (models / REPO / "model.safetensors").unlink()
    runtime.catalog().forget()
    page = look(staff, q=REPO)
    assert "It is already on this server, but it cannot be served: " in page and "Chat now" not in page
    assert 'value="start"' not in page
    shutil.rmtree(models / REPO)
    runtime.catalog().forget()
    assert 'value="start">Download' in look(staff, q=REPO)


def test_markup_stays_text(staff: Client, hub: FakeHub) -> None:
    hub.results = [entry(cardData={"license": "<script>x</script>"})]
    page = look(staff, q='"><script>x</script>')
    assert "<script>x" not in page and "&lt;script&gt;x" in page


def test_a_viewer_sees_it_and_downloads_nothing(hub: FakeHub) -> None:
    hub.results = [entry()]
    looker = client_of("eve", "view_download")
    assert 'value="start"' not in look(looker, q="qwen") and judge(looker)["can_download"]


def test_a_user_without_permissions_sees_nothing(hub: FakeHub) -> None:
    stranger = client_of("eve")
    assert [stranger.get(page).status_code for page in (PAGE, VERDICT)] == [403, 403]
    assert Client(headers={"host": "127.0.0.1"}).get(PAGE)["Location"].startswith("/admin/login/")
    assert not hub.heard


def test_other_pages_lead_to_it(staff: Client) -> None:
    assert f'href="{PAGE}"' in staff.get(DOWNLOADS).content.decode()
    looker = client_of("mia", "view_download", "view_servedmodel")
    assert f'href="{PAGE}"' in looker.get("/admin/").content.decode()
