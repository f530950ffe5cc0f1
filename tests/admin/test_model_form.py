"""The admin's form of one model's settings."""

import asyncio
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from inference.core.pool_state import Memory, ModelState, RankState
from inference.core.requests import Sampling
from inference.models import ServedModel
from inference.pool import Pool
from inference.serving import runtime
from tests.admin.model_pages import LIST, act, form_of, reach, save, wait_for
from tests.core.test_rank_hosts import HERE, THERE, write
from tests.fakes import GB, FakeCatalog, card

# The pool's loop writes from a thread of its own, which sees only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)


def test_the_form_keeps_what_was_chosen(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    page = save(staff, is_pinned="on", idle_ttl_s="-1", aliases=" gpt-4o \r\n\r\nsmall")
    assert "was changed successfully" in page
    model = ServedModel.objects.get(name="tiny")
    assert (model.is_pinned, model.idle_ttl_s, model.aliases) == (True, -1, ["gpt-4o", "small"])
    assert "gpt-4o\nsmall</textarea>" in staff.get(form_of()).content.decode()


def test_the_form_takes_limits_and_sampling_and_names_what_is_wrong(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    assert "was changed" in save(staff, context_cap="512", temperature="0.3", top_k="40", min_p="0.05")
    model = ServedModel.objects.get(name="tiny")
    choice = model.choice
    assert (choice.context_cap, choice.sampling) == (512, Sampling(temperature=0.3, top_k=40, min_p=0.05))
    for field, value in (("temperature", "3"), ("top_p", "0"), ("context_cap", "1"), ("top_k", "-1")):
        assert f'id="id_{field}_error"' in save(staff, **{field: value})
    assert ServedModel.objects.get(name="tiny").choice == choice


def test_the_bits_of_the_kv_cache_can_be_chosen(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    for chosen, bits in (("8", 8), ("0", 0), ("4", 4), ("", None)):
        save(staff, kv_bits=chosen)
        assert ServedModel.objects.get(name="tiny").choice.kv_bits == bits


def test_the_form_takes_the_kind_of_drafts(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    for chosen in ("lookup", "off", ""):
        assert "was changed" in save(staff, speculation=chosen)
        assert ServedModel.objects.get(name="tiny").choice.speculation == chosen
    assert 'id="id_speculation_error"' in save(staff, speculation="guess")


def test_a_draft_model_is_one_of_the_others(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    models = FakeCatalog(card("tiny"), card("small"), card("vectors", kind="embedding"))
    with runtime.use_pool(pool, models=models):  # type: ignore[arg-type]
        for chosen in ("small", ""):
            assert "was changed" in save(staff, draft_model=chosen)
            assert ServedModel.objects.get(name="tiny").choice.draft_model == chosen
        for wrong in ("tiny", "vectors", "elsewhere"):
            assert 'id="id_draft_model_error"' in save(staff, draft_model=wrong)


def test_a_draft_model_that_went_away_stays_chosen(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    ServedModel.objects.filter(name="tiny").update(draft_model="gone")
    assert '<option value="gone" selected>' in staff.get(form_of()).content.decode()
    assert "was changed" in save(staff, draft_model="gone", top_k="3")


async def test_the_form_shows_what_the_worker_found(pool: Pool, staff: Client) -> None:
    await asyncio.to_thread(staff.get, LIST)
    before = await asyncio.to_thread(lambda: staff.get(form_of()).content.decode())
    await asyncio.to_thread(act, staff, "load")
    await wait_for(pool, ModelState.READY)
    after = await asyncio.to_thread(lambda: staff.get(form_of()).content.decode())
    assert "Load the model to see its adapter" in before
    assert "Adapter: fake<br>Stop tokens: &lt;end&gt;" in after and "KV cache: not quantised" in after


def test_the_form_shows_the_self_test(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    assert "Test or load the model to check its chat template" in staff.get(form_of()).content.decode()
    found = [{"light": "amber", "about": "roles", "text": "No <system> role."}]
    ServedModel.objects.filter(name="tiny").update(findings=found)
    page = staff.get(form_of()).content.decode()
    assert 'data-tone="grey">Works, without a system prompt</span><br>No &lt;system&gt; role.' in page
    assert 'data-tone="grey">Works, without a system prompt' in staff.get(LIST).content.decode()


def test_an_adapter_can_be_chosen(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    assert "none is not one of the available choices" in save(staff, adapter="none")
    assert "was changed successfully" in save(staff, adapter="llama3")
    assert ServedModel.objects.get(name="tiny").adapter == "llama3"


def test_what_counts_from_the_next_load_on_says_so_while_the_model_is_loaded(
    pool: Pool, staff: Client
) -> None:
    staff.get(LIST)
    message = "Reload it to apply these."
    assert message not in save(staff, context_cap="512")
    act(staff, "load")
    reach(pool, ModelState.READY)
    assert message not in save(staff, context_cap="512", temperature="1")
    assert message in save(staff, context_cap="256", temperature="1")
    assert message in save(staff, context_cap="256", temperature="1", adapter="llama3")
    assert message in save(staff, context_cap="256", temperature="1", adapter="llama3", kv_bits="8")


def test_the_page_shows_each_rank_of_a_loaded_model(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    act(staff, "load")
    reach(pool, ModelState.READY)
    (resident,) = pool._ledger.residents
    far = RankState(rank=1, pid=42, host="mac2", memory=Memory(active=2 * GB))
    resident.runner.ranks = (RankState(rank=0, pid=41, memory=Memory(active=GB)), far)  # type: ignore[misc]
    page = staff.get(form_of()).content.decode()
    assert "Ranks: 2, so drafts, pictures, adapters and prefixes on disk are off<br>" in page
    assert "Rank 0: process 41, 1.0 GB<br>Rank 1: process 42 on mac2, 2.0 GB" in page


def test_switching_a_pinned_model_off_mentions_its_pin(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    save(staff, is_pinned="on")
    assert "The model tiny stays pinned" in save(staff, is_pinned="on", is_enabled="")
    assert "stays pinned" not in save(staff, is_pinned="on", is_enabled="", top_k="4")


class Watching(FakeCatalog):
    """A catalog that counts the calls of `forget`."""

    forgotten = 0

    def forget(self) -> None:
        self.forgotten += 1


def test_the_pool_acts_on_a_saved_form(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    watching = Watching(card("tiny"))
    with runtime.use_pool(pool, models=watching):  # type: ignore[arg-type]
        assert "errornote" not in save(staff, is_pinned="on")
    assert watching.forgotten == 1


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("idle_ttl_s", "-2", "or -1 to keep the model without a time limit"),
        ("idle_ttl_s", "nan", "Enter a number"),
        ("aliases", "org/broken", "another model"),
        ("aliases", "a\nb\na", "given twice"),
        ("aliases", "tiny", "is already its name"),
        ("top_p", "0", "Give a number above 0."),
        ("repetition_penalty", "-0.1", "Give a number above 0."),
        (
            "context_cap",
            "8193",
            "The model supports 8,192 tokens: enter fewer, or leave this empty to use all that fit.",
        ),
        ("aliases", "x" * 201, "at most 200 characters"),
        ("kv_bits", "5", "5 is not one of the available choices"),
    ],
)
def test_the_form_says_what_is_wrong(pool: Pool, staff: Client, field: str, value: str, message: str) -> None:
    staff.get(LIST)
    assert message in save(staff, **{field: value})
    assert ServedModel.objects.get(name="tiny").aliases == []


def test_the_form_takes_ranks_and_names_what_is_wrong(
    pool: Pool, staff: Client, tmp_path: Path, settings: Settings
) -> None:
    staff.get(LIST)
    assert "was changed" in save(staff, ranks="2")
    assert ServedModel.objects.get(name="tiny").choice.ranks == 2
    for wrong in ("0", "65", "x"):
        assert 'id="id_ranks_error"' in save(staff, ranks=wrong)
    settings.CONFIG = settings.CONFIG.model_copy(update={"hosts_file": write(tmp_path, [HERE, THERE])})
    assert "The hosts file names 2 machines; enter fewer." in save(staff, ranks="3")
    assert ServedModel.objects.get(name="tiny").choice.ranks == 2
