"""The page for signing in, and the one behind a one-time link for setting a password."""

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings

from inference.accounts import password_link
from inference.core.config import Config

pytestmark = pytest.mark.django_db


def browser() -> Client:
    return Client(headers={"host": "127.0.0.1"})


@pytest.mark.parametrize(
    ("config", "is_told"),
    [
        (Config(api_key="secret"), True),
        (Config(api_key="secret", host="0.0.0.0"), False),
        (Config(api_key="secret", origins="https://chat.example.org"), False),
    ],
)
def test_only_who_sits_at_the_server_reads_its_command(config: Config, is_told: bool) -> None:
    with override_settings(CONFIG=config):
        page = browser().get("/login/").content.decode()
    assert ("password_link NAME" in page, "<code>admin</code>" in page) == (is_told, is_told)
    assert "makes links that set a" in page


def test_it_refuses_a_password_that_anybody_guesses() -> None:
    client, ann = browser(), User.objects.create_user("ann", password="forgotten long ago")
    page = client.get(password_link.path_of(ann), follow=True)
    again = client.post(
        page.redirect_chain[-1][0], {"new_password1": "password", "new_password2": "password"}
    )
    assert "too common" in again.content.decode()
    ann.refresh_from_db()
    assert ann.check_password("forgotten long ago")


def test_a_sign_in_ends_the_link() -> None:
    ann = User.objects.create_user("ann", password="love and war")
    link = password_link.path_of(ann)
    browser().post("/login/", {"username": "ann", "password": "love and war"})
    assert "This link has expired" in browser().get(link).content.decode()


@pytest.mark.parametrize("link", ["/password/set/MQ/abc/", "/password/set/x/set-password/"])
def test_an_invented_link_opens_nothing(link: str) -> None:
    User.objects.create_user("ann")
    assert "This link has expired" in browser().get(link).content.decode()
