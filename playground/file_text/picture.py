"""A picture as a file: read by its header, within the limits of the API."""

from django.conf import settings

from inference.core import picture_header
from inference.core.picture_header import NoPicture
from inference.core.requests import Picture
from inference.core.units import in_gb_or_mb
from playground.file_text.limits import NoText


def picture_of(content: bytes) -> Picture:
    """The picture that these bytes are; raises NoText for one that is damaged or too large."""
    limits = settings.CONFIG
    if len(content) > limits.picture_bytes:
        most = in_gb_or_mb(limits.picture_bytes)
        raise NoText(f"It is larger than {most}, the largest picture that can be attached; make it smaller.")
    try:
        picture = picture_header.picture_of(content)
    except NoPicture as problem:
        raise NoText(f"It is damaged: {problem}.") from None
    if picture.width * picture.height > limits.picture_pixels:
        raise NoText(
            f"It has {picture.width:,} × {picture.height:,} pixels, and a picture may have "
            f"{limits.picture_pixels:,} in all; make it smaller."
        )
    return picture
