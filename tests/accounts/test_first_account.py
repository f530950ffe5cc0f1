"""The first account, and where its password is shown."""

import stat
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured

from inference.accounts import first_account
from inference.accounts.first_account import FirstLogin
from inference.core.config import Config

pytestmark = pytest.mark.django_db


def made(data: Path, wanted: str | None = None) -> FirstLogin:
    login = FirstLogin(data, wanted)
    login.make()
    return login


def can_sign_in(password: str) -> bool:
    return authenticate(username="admin", password=password) is not None


def test_a_terminal_shows_the_password_and_nothing_else_keeps_it(tmp_path: Path) -> None:
    login = made(tmp_path)
    first, second = login.take_message(is_terminal=True).splitlines()
    assert can_sign_in(first.rpartition(" ")[2]) and "changepassword admin" in second
    assert list(tmp_path.iterdir()) == [] and login.take_message(is_terminal=True) == ""


def test_anything_else_names_a_file_that_only_its_owner_can_read(tmp_path: Path) -> None:
    text = made(tmp_path).take_message(is_terminal=False)
    (path,) = tmp_path.iterdir()
    assert f"Sign in to the admin as 'admin'; the password is in the file {path}\n" in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    password = path.read_text().strip()
    assert can_sign_in(password) and password not in text


def test_a_later_start_says_nothing_where_it_is_kept(tmp_path: Path) -> None:
    made(tmp_path).take_message(is_terminal=False)
    assert made(tmp_path).take_message(is_terminal=False) == ""


def test_a_start_that_broke_off_before_the_login_was_shown_leaves_it_for_the_next(tmp_path: Path) -> None:
    made(tmp_path)  # the port was taken, say
    text = made(tmp_path).take_message(is_terminal=True)
    assert can_sign_in(text.splitlines()[0].rpartition(" ")[2])


def test_what_an_earlier_try_left_is_not_taken_for_it(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("kept")
    (tmp_path / "admin_password").symlink_to(elsewhere)
    made(tmp_path).take_message(is_terminal=False)
    assert elsewhere.read_text() == "kept" and can_sign_in((tmp_path / "admin_password").read_text().strip())


@pytest.mark.parametrize("is_terminal", [True, False])
def test_the_operators_own_password_is_written_nowhere(tmp_path: Path, is_terminal: bool) -> None:
    text = made(tmp_path, "correct horse battery").take_message(is_terminal=is_terminal)
    assert can_sign_in("correct horse battery") and list(tmp_path.iterdir()) == []
    assert text == "Sign in to the admin as 'admin' with the password of MLX_SERVER_ADMIN_PASSWORD."


@pytest.mark.parametrize("wanted", ["short", "12345678901", "password"])
def test_a_password_that_anybody_guesses_is_refused_before_anything_is_made(
    tmp_path: Path, wanted: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match="MLX_SERVER_ADMIN_PASSWORD: "):
        made(tmp_path, wanted)
    assert not User.objects.exists()


def test_where_there_is_a_superuser_nothing_is_made(tmp_path: Path, db: Any) -> None:
    User.objects.create_superuser("ann")
    assert made(tmp_path, "correct horse battery").take_message(is_terminal=True) == ""
    assert not can_sign_in("correct horse battery")


def test_the_settings_name_the_account_and_a_file_with_its_password(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("correct horse battery\n")
    config = Config(data_dir=tmp_path, admin_user="root@example", admin_password_file=tmp_path / "secret")
    login = first_account.of_settings(config)
    login.make()
    assert authenticate(username="root@example", password="correct horse battery")
    text = login.take_message(is_terminal=True)
    assert (
        text == "Sign in to the admin as 'root@example' with the password of MLX_SERVER_ADMIN_PASSWORD_FILE."
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [(None, "cannot be read: No such file"), (b"", "it is empty"), (b" x ", "spaces"), (b"\xff", "not text")],
)
def test_a_file_without_a_password_ends_the_start(
    tmp_path: Path, content: bytes | None, problem: str
) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    config = Config(data_dir=tmp_path, admin_password_file=tmp_path / "secret")
    with pytest.raises(ImproperlyConfigured, match=f"MLX_SERVER_ADMIN_PASSWORD_FILE: .*{problem}"):
        first_account.of_settings(config)


def test_two_passwords_are_refused(tmp_path: Path) -> None:
    config = Config(data_dir=tmp_path, admin_password="x" * 20, admin_password_file=tmp_path / "secret")
    with pytest.raises(ImproperlyConfigured, match="not both"):
        first_account.of_settings(config)


def test_a_name_that_is_taken_is_given_to_nobody(tmp_path: Path, db: Any) -> None:
    User.objects.create_user("admin", password="somebody else")
    with pytest.raises(ImproperlyConfigured, match="MLX_SERVER_ADMIN_USER: the account 'admin' exists"):
        made(tmp_path)
    assert not User.objects.filter(is_superuser=True).exists() and list(tmp_path.iterdir()) == []
