"""The site's secret key: created once in the data folder, readable by its owner only."""

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

_MIN_LENGTH = 32
_ADVICE = (
    "Restore it from a backup, or delete it: the next start creates a new one, and all users must sign in "
    "again"
)


def secret_key(data_dir: Path) -> str:
    """The key in `data_dir`, created with mode 0600 when there is none yet; raises ImproperlyConfigured."""
    path = data_dir / "secret_key"
    try:
        if not os.path.lexists(path):
            _create(path)
        return _checked(path, path.read_bytes())
    except OSError as error:
        raise ImproperlyConfigured(
            f"{error.filename or path}: {error.strerror}. MLX_SERVER_DATA_DIR must be a folder that you "
            "can write to; if it contains a file secret_key, that must be readable."
        ) from None


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Written completely under another name, then linked: of two processes that start together one wins,
    # and neither reads an incomplete key.
    draft = path.with_name(f"secret_key.{os.getpid()}")
    descriptor = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(50))
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _checked(path: Path, raw: bytes) -> str:
    """The key, if it is plausible: an empty or truncated key would be no protection."""
    key = raw.decode(errors="replace").strip()
    if not key:
        raise ImproperlyConfigured(f"The secret key in {path} is empty. {_ADVICE}.")
    if len(key) < _MIN_LENGTH or not (key.isascii() and key.isprintable() and " " not in key):
        problem = f"is damaged: it must be one line of at least {_MIN_LENGTH} characters"
        raise ImproperlyConfigured(f"The secret key in {path} {problem}. {_ADVICE}.")
    return key
