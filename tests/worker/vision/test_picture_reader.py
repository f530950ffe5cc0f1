"""From files to pixels: upright, opaque, whole, and as large as was announced."""

import struct
import zlib
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image

from inference.core.requests import Picture
from inference.worker.vision.picture_reader import UnreadablePicture, read
from tests.each import each
from tests.tiny_vision import drawn, picture


def pixels(given: Picture) -> Any:
    return np.asarray(read(given))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_what_was_saved_without_loss_is_read_without_loss(kind: str) -> None:
    image = drawn(31, 17)
    assert np.array_equal(pixels(picture(image, kind, lossless=True)), np.asarray(image))


def test_jpeg_and_palettes_become_rgb() -> None:
    image = drawn(64, 48)
    near = np.abs(pixels(picture(image, "JPEG", quality=95)).astype(int) - np.asarray(image).astype(int))
    assert near.mean() < 3
    grey = picture(image.convert("L"), "JPEG")
    assert pixels(grey).shape == (48, 64, 3)
    cmyk = picture(image.convert("CMYK"), "JPEG", quality=95)
    assert np.abs(pixels(cmyk).astype(int) - np.asarray(image).astype(int)).mean() < 8
    assert pixels(picture(image.convert("P"), "PNG")).shape == (48, 64, 3)


def test_a_photo_is_turned_as_its_camera_was_held() -> None:
    image = drawn(40, 20)
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn to the right
    turned = picture(image, "PNG", exif=exif)
    assert (turned.width, turned.height) == (40, 20)
    assert np.array_equal(pixels(turned), np.rot90(np.asarray(image), k=-1))


def test_what_is_transparent_is_on_white() -> None:
    image = drawn(4, 4).convert("RGBA")
    image.putalpha(0)
    assert (pixels(picture(image)) == 255).all()
    image.putalpha(255)
    assert np.array_equal(pixels(picture(image)), np.asarray(image)[..., :3])
    palette = Image.new("P", (4, 4), 0)
    palette.putpalette([200, 10, 10, 0, 0, 0])
    assert (pixels(picture(palette, "PNG", transparency=0)) == 255).all()
    assert (pixels(picture(palette, "GIF", transparency=0)) == 255).all()


def test_sixteen_bits_of_grey_keep_their_brightness() -> None:
    half = Image.fromarray(np.full((4, 4), 0x8000, np.uint16))
    assert (pixels(picture(half)) == 0x80).all()


def test_of_a_moving_picture_the_first_frame_is_read() -> None:
    first, second = drawn(8, 8, seed=1).convert("P"), drawn(8, 8, seed=2).convert("P")
    moving = picture(first, "GIF", save_all=True, append_images=[second])
    assert np.array_equal(pixels(moving), np.asarray(first.convert("RGB")))


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes that says it has so many pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


WHOLE = picture(drawn(50, 50))


@each(
    "broken",
    [
        WHOLE.data[:200],
        WHOLE.data[:-200],
        WHOLE.data[:30] + bytes(20) + WHOLE.data[50:],
        b"",
        b"GIF89a",
        b"not a picture",
        picture(drawn(50, 50), "BMP").data,
        picture(drawn(50, 50), "TIFF").data,
    ],
)
def test_what_is_no_whole_picture_of_a_known_kind_is_refused(broken: bytes) -> None:
    with pytest.raises(UnreadablePicture, match="^Could not process image: "):
        read(msgspec.structs.replace(WHOLE, data=broken))


def test_a_picture_that_is_larger_than_announced_is_not_decoded() -> None:
    given = Picture(data=bomb(60_000, 60_000), media_type="image/png", width=10, height=10)
    with pytest.raises(UnreadablePicture, match="not as large"):
        read(given)
