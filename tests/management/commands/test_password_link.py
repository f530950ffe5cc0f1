from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from inference.core.config import Config

pytestmark = pytest.mark.django_db


def password_link(name: str) -> str:
    out = StringIO()
    call_command("password_link", name, stdout=out, stderr=StringIO())
    return out.getvalue().strip()


@pytest.mark.parametrize(
    ("facts", "address"),
    [
        ({"port": 8123}, "http://127.0.0.1:8123"),
        ({"host": "0.0.0.0", "allowed_hosts": "studio.example"}, "http://studio.example:8000"),
        ({"origins": "https://llm.example"}, "https://llm.example"),
    ],
)
def test_it_prints_a_link_at_the_sites_address(settings: Any, facts: dict[str, Any], address: str) -> None:
    settings.CONFIG = Config(api_key="sesame", **facts)
    User.objects.create_user("ann", password="forgotten long ago")
    link = password_link("ann")
    assert link.startswith(f"{address}/password/set/")
    page = Client(headers={"host": "127.0.0.1"}).get(link.removeprefix(address), follow=True)
    assert "Set the password of ann" in page.content.decode()


def test_there_is_none_for_an_account_that_nobody_can_use() -> None:
    User.objects.create_user("gone", is_active=False)
    for name, problem in (("nobody", "There is no account"), ("gone", "is disabled")):
        with pytest.raises(CommandError, match=problem):
            password_link(name)
