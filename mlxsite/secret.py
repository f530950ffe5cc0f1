"""The site's secret key: made once, in the data folder, readable by its owner alone."""

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

_SHORTEST = 32
_ADVICE = (
    "Delete it to have a new one made at the next start, after which everybody signs in again; or bring it "
    "back from a backup"
)


def secret_key(data_dir: Path) -> str:
    """The key in `data_dir`, created with mode 0600 when there is none yet; raises ImproperlyConfigured."""
    path = data_dir / "secret_key"
    try:
        if not os.path.lexists(path):
            _make(path)
        return _checked(path, path.read_bytes())
    except OSError as error:
        raise ImproperlyConfigured(
            f"{error.filename or path}: {error.strerror}. MLX_SERVER_DATA_DIR has to name a folder that this "
            "user may write, with a readable file secret_key in it or none."
        ) from None


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Written whole under another name, then linked: of two processes starting together one wins,
    # and neither ever reads half a key.
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
    """The key, if it can be one: an empty one signs nothing, and half a one can be guessed."""
    key = raw.decode(errors="replace").strip()
    if not key:
        raise ImproperlyConfigured(f"The secret key in {path} is empty. {_ADVICE}.")
    if len(key) < _SHORTEST or not (key.isascii() and key.isprintable() and " " not in key):
        says = f"is damaged: it has to be one line of at least {_SHORTEST} characters"
        raise ImproperlyConfigured(f"The secret key in {path} {says}. {_ADVICE}.")
    return key
