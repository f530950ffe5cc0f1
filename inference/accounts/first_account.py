"""The first account of a site: created once, and its password shown to the operator but never logged.

A terminal shows it once. Other outputs of `serve` (a journal, `docker logs`) are stored, so there it is left
in a file that only the site's user can read.
"""

import os
import secrets
from pathlib import Path

from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ImproperlyConfigured, ValidationError

from inference.core.installation import PROGRAM

NAME = "admin"
_FILE = "admin_password"
_CHANGE = f"{PROGRAM} changepassword {NAME}"


class FirstLogin:
    """The account `admin` of one data folder; `wanted` is the password that the operator has set."""

    def __init__(self, data_dir: Path, wanted: str | None = None) -> None:
        self._path = data_dir / _FILE
        self._wanted = wanted
        self._is_new = False

    def make(self) -> None:
        """Make the account, unless there is one that may do everything; raises ImproperlyConfigured."""
        users = get_user_model().objects
        if users.filter(is_superuser=True).exists():
            return
        password = self._wanted or secrets.token_urlsafe(12)
        if self._wanted:
            _check(self._wanted)
        else:
            self._keep(password)  # first: an account with an unknown password is of no use
        users.create_superuser(NAME, password=password)
        self._is_new = True

    def take_message(self, *, is_terminal: bool) -> str:
        """What `serve` prints about the account; empty when it was shown before.

        A password that a terminal shows is deleted from the file.
        """
        is_new, self._is_new = self._is_new, False
        if is_new and self._wanted:
            return f"Sign in to the admin as '{NAME}' with the password of MLX_SERVER_ADMIN_PASSWORD."
        if is_terminal and self._path.is_file():
            password = self._path.read_text().strip()
            self._path.unlink()
            return (
                f"Sign in to the admin as '{NAME}' with the password {password}\n"
                f"It is shown this once; change it with: {_CHANGE}"
            )
        if is_new:
            return (
                f"Sign in to the admin as '{NAME}'; the password is in the file {self._path}\n"
                f"Delete the file once you know it, or change the password with: {_CHANGE}"
            )
        return ""

    def _keep(self, password: str) -> None:
        self._path.unlink(missing_ok=True)  # of a start that broke off before it made the account
        descriptor = os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{password}\n")


def _check(password: str) -> None:
    try:
        validate_password(password)
    except ValidationError as error:
        raise ImproperlyConfigured(f"MLX_SERVER_ADMIN_PASSWORD: {' '.join(error.messages)}") from None
