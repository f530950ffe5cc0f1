"""Type and size of an encoded picture, read from its header: nothing is decoded.

PNG (https://www.w3.org/TR/png/), JPEG (ITU-T T.81), WebP (RFC 9649) and GIF (its specification of 1989).
"""

from typing import Final

from msgspec import Struct

from inference.core.image_errors import (
    EmptyImageFile,
    ImageParseError,
    ImageTooLarge,
    InvalidImage,
    UnsupportedImageType,
)
from inference.core.requests import Picture

# What refusals of pictures begin with. Claude Code takes an image out of the conversation when it reads this;
# otherwise every later request would have the image, and be refused as well.
UNREADABLE: Final = "Could not process image"
MEDIA_TYPES: Final = ("image/png", "image/jpeg", "image/webp", "image/gif")
_PNG = b"\x89PNG\r\n\x1a\n"
_GIFS = (b"GIF87a", b"GIF89a")
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # JPEG's markers of a frame with a size
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_SCAN, _END = 0xDA, 0xD9
_MOST_STEPS = 65_536  # segments and blocks before the size: a file may consist of empty ones


class PictureHeader(Struct, frozen=True, kw_only=True):
    """What the header states; width and height in pixels, both at least 1."""

    media_type: str
    width: int
    height: int


class NoPicture(ValueError):
    """The bytes are no picture of one of the four formats that may be sent; the message is for the sender.

    `kind` is the error for the client.
    """

    def __init__(self, message: str, kind: type[InvalidImage] = ImageParseError) -> None:
        super().__init__(message)
        self.kind = kind


def read(data: bytes) -> PictureHeader:
    """The header of a picture; raises NoPicture."""
    try:
        header = _read(data)
    except IndexError:
        raise NoPicture("the file is cut off") from None
    if not (header.width and header.height):
        raise NoPicture("its header has no size")
    return header


def picture_of(data: bytes, *, most_pixels: int | None = None) -> Picture:
    """The picture in `data`; raises NoPicture, also for one of more pixels than that."""
    header = read(data)
    if most_pixels is not None and header.width * header.height > most_pixels:
        raise NoPicture(
            f"it has {header.width} × {header.height} pixels, and a picture may have {most_pixels:,} "
            "(MLX_SERVER_PICTURE_PIXELS)",
            ImageTooLarge,
        )
    return Picture(data=data, media_type=header.media_type, width=header.width, height=header.height)


def _read(data: bytes) -> PictureHeader:
    if data.startswith(_PNG):
        return _png(data)
    if data.startswith(b"\xff\xd8"):
        return _jpeg(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    if data.startswith(_GIFS):
        return _gif(data)
    kind = UnsupportedImageType if data else EmptyImageFile
    raise NoPicture("it is not a PNG, JPEG, WebP or GIF; send one of these", kind)


def _png(data: bytes) -> PictureHeader:
    if _at(data, 12, 4) != b"IHDR":
        raise NoPicture("its header cannot be read")
    width, height = (int.from_bytes(_at(data, place, 4), "big") for place in (16, 20))
    if b"IEND" not in data:  # some programs write more behind it
        raise NoPicture("the file is cut off")
    return PictureHeader(media_type="image/png", width=width, height=height)


def _jpeg(data: bytes) -> PictureHeader:
    at = 2
    for _ in range(_MOST_STEPS):
        if data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker in _FRAMES:
            if data.rfind(b"\xff\xd9", at) < 0:
                raise NoPicture("the file is cut off")
            height, width = (int.from_bytes(_at(data, place, 2), "big") for place in (at + 5, at + 7))
            return PictureHeader(media_type="image/jpeg", width=width, height=height)
        if marker in (_SCAN, _END):
            break
        if marker == 0xFF:  # fills up
            at += 1
        elif marker in _WITHOUT_LENGTH:
            at += 2
        else:
            at += 2 + int.from_bytes(_at(data, at + 2, 2), "big")
    raise NoPicture("its header cannot be read")


def _webp(data: bytes) -> PictureHeader:
    if int.from_bytes(data[4:8], "little") > len(data) - 8:
        raise NoPicture("the file is cut off")
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = (1 + int.from_bytes(_at(data, place, 3), "little") for place in (24, 27))
    elif kind == b"VP8L" and _at(data, 20, 1) == b"\x2f":
        bits = int.from_bytes(_at(data, 21, 4), "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif kind == b"VP8 " and _at(data, 23, 3) == b"\x9d\x01\x2a":
        width, height = (int.from_bytes(_at(data, place, 2), "little") & 0x3FFF for place in (26, 28))
    else:
        raise NoPicture("its header cannot be read")
    return PictureHeader(media_type="image/webp", width=width, height=height)


def _gif(data: bytes) -> PictureHeader:
    """The screen, or the first frame's edge where that lies outside: decoders make room for it."""
    screen = [int.from_bytes(_at(data, place, 2), "little") for place in (6, 8)]
    at = 13 + _colours(data[10])
    for _ in range(_MOST_STEPS):
        if data[at] == 0x2C:
            left, top, width, height = (
                int.from_bytes(_at(data, at + place, 2), "little") for place in (1, 3, 5, 7)
            )
            return PictureHeader(
                media_type="image/gif",
                width=max(screen[0], left + width),
                height=max(screen[1], top + height),
            )
        if data[at] == 0x21:  # an extension: a label, and blocks
            at += 2
        elif data[at] == 0x3B:
            break
        at += 1 + data[at]  # a block; an empty one ends the extension
    raise NoPicture("its header cannot be read")


def _colours(flags: int) -> int:
    """The bytes of a table of colours, if there is one."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _at(data: bytes, place: int, size: int) -> bytes:
    found = data[place : place + size]
    if len(found) < size:
        raise IndexError
    return found
