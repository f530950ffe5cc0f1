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

from inference.core.config import Config
from inference.core.installation import PROGRAM
from inference.core.secret_setting import read_secret

_FILE = "admin_password"


class FirstLogin:
    """The account `name` of one data folder; `wanted` is the password of the setting `source`, if any."""

    def __init__(
        self,
        data_dir: Path,
        wanted: str | None = None,
        name: str = "admin",
        source: str = "MLX_SERVER_ADMIN_PASSWORD",
    ) -> None:
        self._source = source
        self._path = data_dir / _FILE
        self._name = name
        self._wanted = wanted
        self._is_new = False

    def make(self) -> None:
        """Make the account, unless there is one that may do everything; raises ImproperlyConfigured."""
        users = get_user_model().objects
        if users.filter(is_superuser=True).exists():
            return
        if users.filter(username=self._name).exists():
            raise ImproperlyConfigured(
                f"MLX_SERVER_ADMIN_USER: the account {self._name!r} exists and is not an owner. "
                "Choose another name."
            )
        password = self._wanted or secrets.token_urlsafe(12)
        if self._wanted:
            _check(self._wanted, self._source)
        else:
            self._keep(password)  # first: an account with an unknown password is of no use
        users.create_superuser(self._name, password=password)
        self._is_new = True

    def take_message(self, *, is_terminal: bool) -> str:
        """What `serve` prints about the account; empty when it was shown before.

        A password that a terminal shows is deleted from the file.
        """
        is_new, self._is_new = self._is_new, False
        change = f"{PROGRAM} changepassword {self._name}"
        if is_new and self._wanted:
            return f"Sign in to the admin as '{self._name}' with the password of {self._source}."
        if is_terminal and self._path.is_file():
            password = self._path.read_text().strip()
            self._path.unlink()
            return (
                f"Sign in to the admin as '{self._name}' with the password {password}\n"
                f"It is shown this once; change it with: {change}"
            )
        if is_new:
            return (
                f"Sign in to the admin as '{self._name}'; the password is in the file {self._path}\n"
                f"Delete the file once you know it, or change the password with: {change}"
            )
        return ""

    def _keep(self, password: str) -> None:
        self._path.unlink(missing_ok=True)  # of a start that broke off before it made the account
        descriptor = os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{password}\n")


def of_settings(config: Config) -> FirstLogin:
    """The first account as the settings have it; raises ImproperlyConfigured."""
    if config.admin_password_file is None:
        password = config.admin_password.get_secret_value() if config.admin_password else None
        return FirstLogin(config.data_dir, password, config.admin_user)
    source = "MLX_SERVER_ADMIN_PASSWORD_FILE"
    if config.admin_password:
        raise ImproperlyConfigured(f"Give MLX_SERVER_ADMIN_PASSWORD or {source}, not both.")
    return FirstLogin(config.data_dir, _read(config.admin_password_file, source), config.admin_user, source)


def _read(path: Path, source: str) -> str:
    try:
        return read_secret(path)
    except OSError as error:
        raise ImproperlyConfigured(f"{source}: {path} cannot be read: {error.strerror}") from None
    except ValueError as error:  # also where it is not text
        problem = "it is not text" if isinstance(error, UnicodeError) else str(error)
        raise ImproperlyConfigured(f"{source}: the password in {path}: {problem}") from None


def _check(password: str, source: str) -> None:
    try:
        validate_password(password)
    except ValidationError as error:
        raise ImproperlyConfigured(f"{source}: {' '.join(error.messages)}") from None
