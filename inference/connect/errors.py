"""Why a client's files are left as they are."""


class FileRefused(Exception):
    """One file cannot be read, merged or written; nothing was changed."""

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"{path}: {reason} Nothing was changed.")
        self.path = path


class NothingToUndo(Exception):
    """No file of this client was written, or all was undone."""
