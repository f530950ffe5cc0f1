"""Sound, videos and files in a message, and pictures that are elsewhere: the model reads none of them."""

from pydantic_core import PydanticCustomError

from inference.api.http.strict_schema import unsupported

_MEDIA = ("video", "audio")
_NO_MEDIA = "these models read text and pictures only; leave it out, or put what is in it into a text block."
_NO_SOURCE = "files are not kept here; send the picture itself, as a source of the type 'base64'."
_NO_FILE = "send the document's text, as a source of the type 'text'."


def refusal_of_media(kind: str) -> PydanticCustomError | None:
    """The error about a block of this type, if it is one of media."""
    return _unprocessable(kind, _NO_MEDIA) if kind in _MEDIA else None


def refusal_of_source() -> PydanticCustomError:
    """The error about a picture whose source is a file."""
    return _unprocessable("image", _NO_SOURCE)


def refusal_of_file() -> PydanticCustomError:
    """The error about a document whose source is a file."""
    return _unprocessable("PDF", _NO_FILE)


def _unprocessable(kind: str, why: str) -> PydanticCustomError:
    """The error in the wording of Anthropic's own servers.

    Claude Code recognises it, and takes the block out of the conversation. Otherwise every later request of
    the conversation would have the block, and be refused as well.
    """
    return unsupported(f"<field>: Could not process {kind}: {why}", "type")
