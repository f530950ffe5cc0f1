from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from inference.core.model_card import LoraCard
from inference.models import ModelProfile, ServedModel
from inference.pool import Pool
from inference.serving import runtime
from tests.admin.model_pages import LIST, form_of, save
from tests.each import each
from tests.fakes import FakeCatalog, card
from tests.people import client_of

pytestmark = pytest.mark.django_db(transaction=True)


def profile(number: int = 0, **fields: str) -> dict[str, str]:
    total = {"profiles-TOTAL_FORMS": str(number + 1), "profiles-INITIAL_FORMS": "0"}
    model = str(ServedModel.objects.get(name="tiny").pk)
    given = {"name": "terse", "model": model, "template_options": "{}"} | fields
    return total | {f"profiles-{number}-{name}": value for name, value in given.items()}


def test_a_profile_is_made_on_the_page_of_its_model(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    given: Any = profile(system="Be terse.", temperature="0.1", template_options='{"enable_thinking": false}')
    assert "was changed successfully" in save(staff, **given)
    made = ModelProfile.objects.get()
    assert (made.model.name, made.system, made.temperature) == ("tiny", "Be terse.", 0.1)
    assert made.template_options == {"enable_thinking": False}
    page = staff.get(form_of()).content.decode()
    assert 'value="terse"' in page and "Be terse.</textarea>" in page


def test_a_name_of_an_adapter_or_another_model_is_refused(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    models = FakeCatalog(card("tiny", loras=(LoraCard(name="pirate", path="/p"),)), card("tiny:big"))
    with runtime.use_pool(pool, models=models):  # type: ignore[arg-type]
        assert "has an adapter of this name" in save(staff, **profile(name="pirate"))
        assert "another model here" in save(staff, **profile(name="big"))
        assert "was changed successfully" in save(staff, **profile(name="other"))
    assert ModelProfile.objects.get().name == "other"


def test_who_may_only_look_changes_nothing(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    save(staff, **profile())
    viewer = client_of("viewer", "view_servedmodel")
    page = viewer.get(form_of()).content.decode()
    assert "terse" in page and 'name="profiles-0-name"' not in page


@each(
    "options",
    [
        "x",
        "[1]",
        '{"a": NaN}',
        '{"a": 1e999}',
        '{"a": ' + "9" * 5000 + "}",
        '{"a": ' + "[" * 3000 + "]" * 3000 + "}",
    ],
)
def test_options_that_are_no_object_are_refused_and_shown_again(
    options: str, pool: Pool, staff: Client
) -> None:
    staff.get(LIST)
    page = save(staff, **profile(template_options=options))
    assert "Enter a JSON object" in page and escape(options) in page
    assert not ModelProfile.objects.exists()
