"""The bounds of attached files."""

from typing import Final

MAX_CHARACTERS: Final = 1_000_000  # of one file's text, as of one message's
MAX_FILES: Final = 20  # of one question
TOO_LONG: Final = f"It has more than {MAX_CHARACTERS:,} characters of text; attach the part that matters."


class NoText(Exception):
    """Why a file has nothing for a model; the message is a sentence for the visitor, about “it”."""
