"""Pictures in bodies: base64 and data URLs, checked by their headers before anything is decoded."""

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Final, Literal

from django.conf import settings
from msgspec import structs
from pydantic import PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from inference.api.http.strict_schema import literal, unsupported
from inference.core import picture_header
from inference.core.image_errors import (
    ImageFileTooLarge,
    InvalidBase64Image,
    InvalidImage,
    InvalidImageUrl,
    UnsupportedImageType,
)
from inference.core.picture_header import UNREADABLE, NoPicture
from inference.core.requests import PICTURE, Picture
from inference.serving import picture_fetch
from inference.serving.picture_fetch import NotFetched

TALLY: Final = "tally_of_pictures"  # in the context of a validation: a Tally
Detail = Literal["auto", "low", "high"]
_DATA_URL = re.compile(r"data:(?P<type>[^;,]{0,64})(?P<parameters>(;[^;,]{0,64})*),", re.IGNORECASE)
_TYPES = ", ".join(picture_header.MEDIA_TYPES)


class Tally:
    """The pictures of one body, counted while it is checked."""

    def __init__(self) -> None:
        self.count = 0
        self.characters = 0  # of their base64

    def add(self, text: str) -> None:
        """Raises PydanticCustomError for one picture too many."""
        self.count += 1
        self.characters += len(text)
        most = settings.CONFIG.picture_count
        if self.count > most:
            raise refused(f"a request may have {most} pictures (MLX_SERVER_PICTURE_COUNT)")


def refused(reason: str, kind: type[InvalidImage] = InvalidImage) -> PydanticCustomError:
    """The error about a picture that cannot be read, with the reason; field_error.py makes one of `kind`."""
    return PydanticCustomError(literal(kind.code), literal(f"{UNREADABLE}: {reason}"))


def of_base64(text: str) -> Picture:
    """The picture that is written as base64; raises PydanticCustomError."""
    limits = settings.CONFIG
    if len(text) * 3 // 4 > limits.picture_bytes + 2:
        raise refused(
            f"a picture may have {limits.picture_bytes:,} bytes (MLX_SERVER_PICTURE_BYTES)", ImageFileTooLarge
        )
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise refused("it is not valid base64", InvalidBase64Image) from None
    try:
        return picture_header.picture_of(data, most_pixels=limits.picture_pixels)
    except NoPicture as error:
        raise refused(str(error), error.kind) from None


def of_url(url: str) -> Picture:
    """The picture in a data URL, or at an address that may be fetched; raises PydanticCustomError."""
    if re.match("https?:", url, re.IGNORECASE):
        return of_address(url)
    found = _DATA_URL.match(url)
    if not found or found["parameters"].lower().rpartition(";")[2] != "base64":
        raise refused("it must be a data URL such as data:image/png;base64,...", InvalidImageUrl)
    kind = found["type"].lower().replace("image/jpg", "image/jpeg")
    if kind not in picture_header.MEDIA_TYPES:
        raise refused(f"its type must be one of {_TYPES}", UnsupportedImageType)
    return of_base64(url[found.end() :])


def of_address(url: str) -> Picture:
    """The picture at an address on the web, not fetched yet; raises PydanticCustomError."""
    try:
        picture_fetch.allowed(url, settings.CONFIG.picture_host_list)
    except NotFetched as error:
        raise unsupported(f"<field>: {UNREADABLE}: {error}") from None
    return Picture(data=b"", media_type="", width=0, height=0, url=url)


def data_url(picture: Picture) -> str:
    """The picture as a request has it; one that is elsewhere is its address."""
    return picture.url or f"data:{picture.media_type};base64,{_base64(picture)}"


def _base64(picture: Picture) -> str:
    return base64.b64encode(picture.data).decode()


def _from_url(value: Any, info: ValidationInfo) -> Picture:
    return _checked(value, info, of_url)


def _from_address(value: Any, info: ValidationInfo) -> Picture:
    return _checked(value, info, of_address)


def _from_base64(value: Any, info: ValidationInfo) -> Picture:
    return _checked(value, info, of_base64)


def _checked(value: Any, info: ValidationInfo, read: Callable[[str], Picture]) -> Picture:
    if isinstance(value, Picture):  # the server made it of another field
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("string_type", "It must be a string")
    tally: Tally | None = (info.context or {}).get(TALLY)
    if tally:
        tally.add(value)
    return read(value)


_AS_DATA = "data:image/(png|jpeg|webp|gif);base64,"
_SHOWN_AS_URL = PlainSerializer(data_url, return_type=str)
PictureUrl = Annotated[
    Any,
    PlainValidator(_from_url),
    _SHOWN_AS_URL,
    WithJsonSchema({"type": "string", "format": "uri", "pattern": f"^({_AS_DATA}|https?:)"}),
]
PictureAddress = Annotated[
    Any,
    PlainValidator(_from_address),
    PlainSerializer(data_url, return_type=str),
    WithJsonSchema({"type": "string", "format": "uri", "pattern": "^https?:"}),
]
PictureBase64 = Annotated[
    Any,
    PlainValidator(_from_base64),
    PlainSerializer(_base64, return_type=str),
    WithJsonSchema({"type": "string", "contentEncoding": "base64"}),
]


def content_of(parts: Iterable[str | Picture], between_texts: str = "") -> tuple[str, tuple[Picture, ...]]:
    """Texts and pictures as the content of a message, and its pictures."""
    content, pictures, is_text_before = "", [], False
    for part in parts:
        if isinstance(part, Picture):
            content += PICTURE
            pictures.append(part)
            is_text_before = False
        else:
            content += (between_texts if is_text_before else "") + part.replace(PICTURE, "")
            is_text_before = True
    return content, tuple(pictures)


def seen(picture: Picture, detail: Detail | None) -> Picture:
    """The picture, to be looked at this closely."""
    return structs.replace(picture, detail=detail) if detail and detail != picture.detail else picture
