"""The names of repositories on the hub, and of models in the models folder."""

import re

from inference.repository.downloads.errors import NotAnId
from inference.repository.files import staging

_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_PAGE = re.compile(r"((?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/)([^/?#]+/[^/?#]+)([/?#].*)?")


def check_id(name: str) -> None:
    """Raise NotAnId unless it is OWNER/NAME: no address, and no path that leads elsewhere."""
    if not _is_id(name):
        raise NotAnId(_correction(name))


def id_in(text: str) -> str:
    """The id in a text that is one, or the address of a model's page or files; empty for other texts."""
    page = _PAGE.fullmatch(text.strip())
    found = page[2] if page else text.strip()
    return found if _is_id(found) else ""


def _correction(name: str) -> str:
    """The advice for the address of a model's page; empty for other texts."""
    page = _PAGE.fullmatch(name)
    if page is None or not _is_id(page[2]):
        return ""
    rest = (page[3] or "").rstrip("/")
    return f"Leave out {page[1]}{f' and {rest}' if rest else ''}: {page[2]}."


def _is_id(name: str) -> bool:
    return bool(_ID.fullmatch(name)) and ".." not in name and "--" not in name


def is_name(name: str) -> bool:
    """Whether a model in the models folder may have this name: OWNER/NAME or, of an import, NAME."""
    return bool(staging.NAME.fullmatch(name)) or _is_id(name)
