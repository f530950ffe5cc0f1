"""Bodies that are no JSON of ours: files, as bytes."""

from collections.abc import Container
from typing import Final

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest

from inference.api.http import dialects, errors
from inference.core.errors import BodyTooLarge, UnsupportedMediaType

# None of these can be sent by a page of another site without asking first.
FILES: Final = frozenset(
    {"application/json", "application/octet-stream", "application/zip", "application/x-zip-compressed"}
)


def read(request: HttpRequest, media_types: Container[str]) -> bytes:
    """The body as it was sent; UnsupportedMediaType or BodyTooLarge."""
    if request.content_type not in media_types:
        raise UnsupportedMediaType("Send the file as it is, with Content-Type: application/octet-stream.")
    return bounded(request)


def bounded(request: HttpRequest) -> bytes:
    """The body, whatever it is; BodyTooLarge."""
    try:
        body = request.body
    except RequestDataTooBig:
        raise BodyTooLarge(errors.BODY_TOO_LARGE) from None
    if len(body) > dialects.body_limit(request.path):
        raise BodyTooLarge(errors.BODY_TOO_LARGE)
    return body
