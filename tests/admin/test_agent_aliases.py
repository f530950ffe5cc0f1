import pytest
from django.test import Client

from inference.connect.agent_names import AGENT_NAMES
from inference.models import ServedModel
from inference.pool import Pool
from tests.admin.model_pages import LIST, buttons, press

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_button_adds_the_names_and_says_so(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    ServedModel.objects.filter(name="tiny").update(aliases=["mine", "opus"])
    assert "answer_agents" in buttons(staff)
    page = press(staff, "answer_agents")
    assert "Requests for opus, sonnet, haiku and everything that begins with claude- or gpt-" in page
    aliases = ServedModel.objects.get(name="tiny").aliases
    assert aliases[:2] == ["mine", "opus"] and set(aliases) == {"mine", *AGENT_NAMES}


def test_a_name_that_another_model_has_is_refused(pool: Pool, staff: Client) -> None:
    staff.get(LIST)
    ServedModel.objects.filter(name="org/broken").update(aliases=["claude-*"])
    assert "&#x27;claude-*&#x27; already names another model." in press(staff, "answer_agents")
    assert ServedModel.objects.get(name="tiny").aliases == []
