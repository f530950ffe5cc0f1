"""A folder as an operator names it."""

from pathlib import Path


def folder_path(text: str) -> Path:
    """A folder that is there or can be made; ValueError for what is none."""
    if not text.strip():
        raise ValueError("it is empty; name a folder, or unset it")
    if text != text.strip() or not text.isprintable():
        raise ValueError(f"{text!r} has blanks around it, or a character that cannot be typed")
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        raise ValueError(f"nobody knows whose home folder {text} begins with") from None
    if path.exists() and not path.is_dir():
        raise ValueError(f"there is a file at {text}; name a folder")
    return path
