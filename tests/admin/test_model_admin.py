"""The admin's list of models, the actions on them, and who may use them."""

import re
from pathlib import Path
from typing import Any, cast

import pytest
from django.core.management import get_commands
from django.test import Client
from django.urls import reverse

from inference.admin.model_admin import ServedModelAdmin
from inference.api.operator.api import api
from inference.core.pool_state import ModelState, PoolSnapshot
from inference.models import ServedModel
from inference.pool import Pool, PoolOptions
from inference.serving import runtime
from tests.admin.model_pages import ACT, LIST, act, buttons, form_of, press, reach, save
from tests.fakes import GB, FakeCatalog, FakeRunner, card, serving
from tests.people import client_of
from tests.tiny import make_tiny_model

# The pool's loop writes from a thread of its own, which sees only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)


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
    assert "ready; accepts no further requests: an operator has switched it off" in page


def test_the_list_says_which_context_fits(pool: Pool, staff: Client) -> None:
    page = staff.get(LIST).content.decode()
    assert sorted(contexts_in(page)) == ["8,192", "–"]  # of one that can be served, and of one that cannot
    with serving(cards=[card("huge", resident_bytes=10**15)]):
        page = staff.get(LIST).content.decode()
    assert any("fits: none, it is too large" in cell for cell in contexts_in(page))


def contexts_in(page: str) -> list[str]:
    """The text of each cell of the column."""
    cells = re.findall(r'<td[^>]*class="field-context"[^>]*>(.*?)</td>', page, re.DOTALL)
    return [re.sub(r"<[^>]*>", " ", cell).strip() for cell in cells]


def test_the_list_says_what_limits_the_context(staff: Client) -> None:
    wide = {"resident_bytes": 4 * GB, "kv_bytes_per_token": 10**6}
    chosen = {"context_length": 512, "own_context": 8192, "context_cap": 512}
    cards = [card("a"), card("b", context_length=100_000, **wide), card("c", **chosen)]
    with serving(cards=cards):
        page = staff.get(LIST).content.decode()
        form = staff.get(f"{LIST}{ServedModel.objects.get(name='b').pk}/change/").content.decode()
    cells = [re.sub(" *fits:.*", "", cell) for cell in contexts_in(page)]
    assert cells == ["8,192", "6,000 of 100,000: memory", "512 of 8,192: chosen"]
    assert "supports 100,000; there is memory for 6,000 if only pinned models stay loaded." in form


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
    message = act(staff, "load", "org/broken").split("messagelist")[1].split("</ul>")[0]
    assert '<li class="error">The model &#x27;org/broken&#x27; cannot be served: no weights' in message


def test_models_that_left_the_disk_leave_the_list(pool: Pool, staff: Client) -> None:
    ServedModel.objects.create(name="gone")
    staff.get(LIST)
    assert set(ServedModel.objects.values_list("name", flat=True)) == {"tiny", "org/broken"}


def test_a_missing_model_with_choices_stays_and_says_so(pool: Pool, staff: Client) -> None:
    ServedModel.objects.create(name="gone", aliases=["x"])
    assert "missing: its folder does not exist" in staff.get(LIST).content.decode()


def test_pin_and_unpin_are_actions(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    assert "Pinned tiny." in act(staff, "pin")
    assert ServedModel.objects.get(name="tiny").is_pinned
    assert "Unpinned tiny." in act(staff, "unpin")
    assert not ServedModel.objects.get(name="tiny").is_pinned


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


def test_a_user_that_may_run_models_may_change_them(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    save(client_of("viewer", "view_servedmodel", "run_servedmodel"), is_pinned="on")
    assert ServedModel.objects.get(name="tiny").is_pinned


def test_a_viewer_changes_nothing(pool: Pool, staff: Client) -> None:
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


def test_a_viewer_sees_no_actions(pool: Pool) -> None:
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
        assert "Tested tiny. Cannot chat. Its template cannot render a question" in page
        assert 'data-self-test="tiny" data-tone="red">Cannot chat' in page
    assert pool.snapshot().models == ()


def test_a_models_page_has_the_buttons_that_fit(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    assert buttons(staff) == ["load", "examine", "answer_agents", "remove"]
    assert "Loading tiny." in press(staff, "load")
    reach(pool, ModelState.READY)
    assert buttons(staff) == ["unload", "reload", "examine", "answer_agents", "unload_now"]


def test_a_rows_buttons_fit_its_state_and_the_users_rights(pool: Pool, staff: Client) -> None:
    def shown(client: Client) -> list[str]:
        page = client.get(LIST).content.decode()
        found = re.findall(r'<(?:button|a) [^>]*aria-label="(\w+ (?:tiny|org/broken))"([^>]*)>', page)
        return [label for label, attributes in found if "hidden" not in attributes]

    assert shown(staff) == ["Pin org/broken", "Load tiny", "Pin tiny", "Chat tiny"]
    press(staff, "load"), press(staff, "pin")
    reach(pool, ModelState.READY)
    assert shown(staff) == ["Pin org/broken", "Unload tiny", "Unpin tiny", "Chat tiny"]
    assert shown(client_of("viewer", "view_servedmodel")) == ["Chat tiny"]
    assert '<td data-label="Self-test"' in staff.get(LIST).content.decode()


def test_a_button_works_for_a_model_that_was_never_listed(pool: Pool, staff: Client) -> None:
    assert "Pinned tiny." in press(staff, "pin")
    assert "There is no model &#x27;nobody&#x27;." in press(staff, "pin", "nobody")


def test_buttons_are_for_those_who_may(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    viewer = client_of("viewer", "view_servedmodel")
    assert buttons(viewer) == []
    assert viewer.post(ACT, {"act": "pin tiny"}).status_code == 403
    assert staff.post(ACT, {"act": "explode tiny"}).status_code == 403
    assert staff.get(ACT, {"act": "pin tiny"}).status_code == 403
    assert not ServedModel.objects.filter(is_pinned=True).exists()


# What does the same as each action of the list: a route below /api/models, and a command.
OTHERWISE = {
    "load": ("load", "load"),
    "unload": ("unload", "unload"),
    "unload_now": ("unload", "unload"),  # with `now`
    "reload": ("reload", "reload"),
    "examine": ("test", "self_test"),
    "pin": ("pin", "pin"),
    "unpin": ("unpin", "unpin"),
    "answer_agents": ("aliases", "alias"),
    "remove": ("delete", "remove"),
    "forget": ("delete", "remove"),
}


def test_every_action_is_also_a_route_and_a_command() -> None:
    assert set(ServedModelAdmin.actions) == OTHERWISE.keys()
    paths, commands = api.get_openapi_schema()["paths"], get_commands()
    for route, command in OTHERWISE.values():
        assert f"/api/models/{route}" in paths and command in commands
