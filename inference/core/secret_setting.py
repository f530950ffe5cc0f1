"""Settings that are secrets, as the values of variables or in files."""

from pathlib import Path


def check_secret(given: str) -> None:
    """Raise ValueError for what nobody could type as a password or send as a key."""
    if not given or given != given.strip() or not given.isprintable():
        raise ValueError("it is empty, has spaces around it, or has a control character")


def read_secret(path: Path) -> str:
    """The secret that is the one line of a file; raises OSError, or ValueError for what is none."""
    secret = path.read_text().removesuffix("\n").removesuffix("\r")
    check_secret(secret)
    return secret
