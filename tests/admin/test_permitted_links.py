"""Whoever may open a page may follow its links: no link of the admin ends in a refusal."""

import html
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from inference.accounts import roles
from inference.accounts.roles import Role
from inference.core.model_card import Finding
from inference.models import ServedModel
from inference.models.request_record import Capture
from inference.repository.downloads.register import Downloads
from inference.serving import runtime
from tests.admin.console_site import LLAMA, OPERATOR, QWEN, fill
from tests.fakes import FakeRunner, card, serving
from tests.people import signed_in

pytestmark = pytest.mark.django_db
INDEX = reverse("admin:index")
_LINK = re.compile(r'<a\b[^>]*?\bhref="([^"]*)"')


@pytest.fixture(autouse=True)
def site(tmp_path: Any) -> Iterator[None]:
    """A site with a row of everything, while a capture goes on."""
    fill()
    Capture.objects.update(until="2100-01-01T00:00Z")
    red = Finding(light="red", about="tools", text="Its calls cannot be read.")
    cards = [card(QWEN), card(LLAMA), card("embedder", kind="embedding")]
    with serving(FakeRunner(), cards=cards), runtime.use_downloads(Downloads(tmp_path, on_done=print)):
        signed_in(User.objects.get(username=OPERATOR)).get(reverse("admin:inference_servedmodel_changelist"))
        ServedModel.objects.filter(name=QWEN).update(
            findings=[{"light": red.light, "about": red.about, "text": red.text}]
        )
        yield


def kind_of(address: str) -> tuple[str, str]:
    """What pages of one kind share: their path without numbers, and the first name of their query."""
    parts = urlsplit(address)
    return re.sub(r"\d+", "N", parts.path), parts.query.partition("=")[0]


def dead_ends(client: Client) -> dict[str, str]:
    """The links below the index that are refused or lead nowhere, each with the page that has it."""
    found, seen, left = {}, {kind_of(INDEX)}, [(INDEX, "")]
    while left:
        address, origin = left.pop()
        answer = client.get(address)
        if answer.status_code >= 400 or "/login/" in answer.headers.get("Location", ""):
            found[address] = origin
        if answer.headers.get("Content-Type", "").startswith("text/html") and not answer.streaming:
            for link in _LINK.findall(answer.content.decode()):
                to = urljoin(address, html.unescape(link))
                if to.startswith("/admin/") and kind_of(to) not in seen:
                    seen.add(kind_of(to))
                    left.append((to, address))
    assert len(seen) > 20
    return found


@pytest.mark.parametrize("role", [Role.MANAGE, Role.OWNER])
def test_no_link_of_the_admin_is_a_dead_end(role: Role) -> None:
    person = User.objects.create_user("ann")
    roles.give(person, role)
    assert dead_ends(signed_in(person)) == {}
