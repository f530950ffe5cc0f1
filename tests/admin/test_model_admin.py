"""The admin's list of models."""

import asyncio
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from django.test import Client
from django.urls import reverse

from inference.core.pool_state import ModelState, PoolSnapshot
from inference.core.requests import Sampling
from inference.models import ServedModel
from inference.pool import Pool, PoolOptions
from inference.serving import runtime
from tests.fakes import FakeCatalog, FakeRunner, card, serving
from tests.people import client_of
from tests.tiny import make_tiny_model

# The pool's loop writes from a thread of its own, which sees only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)
LIST = reverse("admin:inference_servedmodel_changelist")
ACT = reverse("admin:inference_servedmodel_act")


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


def act(client: Client, action: str, name: str = "tiny", **answers: str) -> str:
    """Choose an action and say yes to its question."""
    row = ServedModel.objects.get(name=name)
    body = {"action": action, "_selected_action": [row.pk], "confirmed": "yes", **answers}
    return client.post(LIST, body, follow=True).content.decode()


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


def test_a_model_that_is_switched_off_while_it_is_loaded_says_both(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    act(staff, "load")
    reach(pool, ModelState.READY)
    off = FakeCatalog(card("tiny", problem="an operator has switched it off", is_enabled=False))
    with runtime.use_pool(pool, models=cast(Any, off)):
        page = staff.get(LIST).content.decode()
    assert "ready; takes no further requests: an operator has switched it off" in page


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
    row = ServedModel.objects.get(name="tiny")
    history = staff.get(f"{LIST}{row.pk}/history/").content.decode()
    assert "Loading tiny." in history and "Unloading tiny, once" in history


def test_a_model_that_cannot_be_served_says_why(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    told = act(staff, "load", "org/broken").split("messagelist")[1].split("</ul>")[0]
    assert '<li class="error">The model &#x27;org/broken&#x27; cannot be served: no weights' in told


def test_models_that_left_the_disk_leave_the_list(pool: Pool, staff: Client) -> None:
    ServedModel.objects.create(name="gone")
    staff.get(LIST)
    assert set(ServedModel.objects.values_list("name", flat=True)) == {"tiny", "org/broken"}


def test_a_missing_model_with_choices_stays_and_says_so(pool: Pool, staff: Client) -> None:
    ServedModel.objects.create(name="gone", aliases=["x"])
    assert "missing: its folder is not there now" in staff.get(LIST).content.decode()


def test_pin_and_unpin_are_actions(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    assert "Pinned tiny." in act(staff, "pin")
    assert ServedModel.objects.get(name="tiny").is_pinned
    assert "Unpinned tiny." in act(staff, "unpin")
    assert not ServedModel.objects.get(name="tiny").is_pinned


def form_of(name: str = "tiny") -> str:
    return reverse("admin:inference_servedmodel_change", args=[ServedModel.objects.get(name=name).pk])


def save(client: Client, **fields: str) -> str:
    return client.post(
        form_of(), {"is_enabled": "on", "idle_ttl_s": "", "aliases": ""} | fields, follow=True
    ).content.decode()


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


async def test_the_form_shows_what_the_worker_found(pool: Pool, staff: Client) -> None:
    await asyncio.to_thread(staff.get, LIST)
    before = await asyncio.to_thread(lambda: staff.get(form_of()).content.decode())
    await asyncio.to_thread(act, staff, "load")
    await wait_for(pool, ModelState.READY)
    after = await asyncio.to_thread(lambda: staff.get(form_of()).content.decode())
    assert "Load the model to see its adapter" in before
    assert "Adapter: fake<br>Stop tokens: &lt;end&gt;" in after


def test_the_form_shows_the_self_test(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    assert "Test or load the model to have its template" in staff.get(form_of()).content.decode()
    found = [{"light": "amber", "about": "roles", "text": "No <system> role."}]
    ServedModel.objects.filter(name="tiny").update(findings=found)
    page = staff.get(form_of()).content.decode()
    assert 'data-light="amber">amber</span><br>No &lt;system&gt; role.' in page
    assert 'data-light="amber"' in staff.get(LIST).content.decode()


def test_an_adapter_can_be_chosen(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    assert "none is not one of the available choices" in save(staff, adapter="none")
    assert "was changed successfully" in save(staff, adapter="llama3")
    assert ServedModel.objects.get(name="tiny").adapter == "llama3"


def test_what_counts_from_the_next_load_on_says_so_while_the_model_is_loaded(
    pool: Pool, staff: Client
) -> None:
    staff.get(LIST)
    told = "Reload it to apply this."
    assert told not in save(staff, context_cap="512")
    act(staff, "load")
    reach(pool, ModelState.READY)
    assert told not in save(staff, context_cap="512", temperature="1")
    assert told in save(staff, context_cap="256", temperature="1")
    assert told in save(staff, context_cap="256", temperature="1", adapter="llama3")


def test_switching_a_pinned_model_off_tells_of_its_pin(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    save(staff, is_pinned="on")
    assert "The model tiny stays pinned" in save(staff, is_pinned="on", is_enabled="")
    assert "stays pinned" not in save(staff, is_pinned="on", is_enabled="", top_k="4")


class Watching(FakeCatalog):
    """A catalog that counts how often it was told to forget."""

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
    ("field", "value", "told"),
    [
        ("idle_ttl_s", "-2", "or -1 to keep the model for ever"),
        ("idle_ttl_s", "nan", "Enter a number"),
        ("aliases", "org/broken", "another model"),
        ("aliases", "a\nb\na", "given twice"),
        ("aliases", "tiny", "is its name already"),
        ("top_p", "0", "Give a number above 0."),
        ("repetition_penalty", "-0.1", "Give a number above 0."),
        ("context_cap", "8193", "The model&#x27;s own is 8,192 tokens: give fewer, or none for it."),
        ("aliases", "x" * 201, "at most 200 characters"),
    ],
)
def test_the_form_says_what_is_wrong(pool: Pool, staff: Client, field: str, value: str, told: str) -> None:
    staff.get(LIST)
    assert told in save(staff, **{field: value})
    assert ServedModel.objects.get(name="tiny").aliases == []


def test_models_are_found_by_their_aliases(pool: Pool, staff: Client) -> None:
    ServedModel.objects.create(name="tiny", aliases=["gpt-4o"])
    page = staff.get(LIST, {"q": "gpt-4"}).content.decode()
    assert 'data-state="tiny"' in page and "org/broken" not in page


class CountingPool(Pool):
    """A pool that counts how often it was looked at."""

    looks = 0

    def snapshot(self) -> PoolSnapshot:
        self.looks += 1
        return super().snapshot()


def test_one_page_is_one_look_at_the_pool(pool: Pool, staff: Client) -> None:
    cards = [card(f"m{number}") for number in range(5)]
    catalog = FakeCatalog(*cards)
    options = PoolOptions(limit_bytes=1, queue_limit=1, load_timeout_s=1, keep_spare=False)
    counting = CountingPool(options, find_card=catalog.find, start_runner=FakeRunner)
    with runtime.use_pool(counting, models=catalog):  # type: ignore[arg-type]
        staff.get(LIST)
    assert counting.looks == 1


def test_who_may_run_models_may_change_them(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    save(client_of("viewer", "view_servedmodel", "run_servedmodel"), is_pinned="on")
    assert ServedModel.objects.get(name="tiny").is_pinned


def test_who_may_only_look_changes_nothing(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    save(client_of("viewer", "view_servedmodel"), is_pinned="on")
    assert not ServedModel.objects.get(name="tiny").is_pinned


def test_nobody_adds_or_deletes_a_model(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    addresses = [
        reverse("admin:inference_servedmodel_add"),
        form_of().replace("change", "delete"),
        reverse("admin:inference_poolevent_add"),
    ]
    assert [staff.get(address).status_code for address in addresses] == [403, 403, 403]


def test_who_may_only_look_sees_no_actions(pool: Pool) -> None:
    client = client_of("viewer", "view_servedmodel")
    assert 'value="load"' not in client.get(LIST).content.decode()
    act(client, "load")
    assert pool.snapshot().models == ()


def test_strangers_are_sent_to_the_login() -> None:
    assert Client(headers={"host": "127.0.0.1"}).get(LIST).status_code == 302


def test_a_model_is_tested_without_being_loaded(pool: Pool, staff: Client, tmp_path: Path) -> None:
    make_tiny_model(tmp_path / "tiny", template="{{ 1 / 0 }}")
    broken = FakeCatalog(card("tiny", path=str(tmp_path / "tiny")))
    with runtime.use_pool(pool, models=broken):  # type: ignore[arg-type]
        staff.get(LIST)
        page = act(staff, "examine")
        assert "Tested tiny: red. Its template cannot render a question" in page
        assert 'data-light="red">red' in page
    assert pool.snapshot().models == ()


def press(client: Client, action: str, model: str = "tiny") -> str:
    """Press one of the buttons of a model's page."""
    return client.post(ACT, {"act": f"{action} {model}"}, follow=True).content.decode()


def buttons(client: Client) -> list[str]:
    row = ServedModel.objects.get(name="tiny")
    page = client.get(f"{LIST}{row.pk}/change/").content.decode()
    return re.findall(r'name="act" value="(\w+) tiny"', page)


def test_a_models_page_has_the_buttons_that_fit(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    assert buttons(staff) == ["load", "remove", "examine"]
    assert 'data-preview="tiny"' in press(staff, "load") and pool.snapshot().models == ()
    act(staff, "load")
    reach(pool, ModelState.READY)
    assert buttons(staff) == ["unload", "unload_now", "reload", "examine"]


def test_a_button_works_for_a_model_that_was_never_listed(pool: Pool, staff: Client) -> None:
    assert "Pinned tiny." in press(staff, "pin")
    assert "There is no model &#x27;nobody&#x27; here." in press(staff, "pin", "nobody")


def test_buttons_are_for_those_who_may(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    viewer = client_of("viewer", "view_servedmodel")
    assert buttons(viewer) == []
    assert viewer.post(ACT, {"act": "pin tiny"}).status_code == 403
    assert staff.post(ACT, {"act": "explode tiny"}).status_code == 403
    assert staff.get(ACT, {"act": "pin tiny"}).status_code == 403
    assert not ServedModel.objects.filter(is_pinned=True).exists()
