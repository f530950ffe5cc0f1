"""Type and size of pictures, from their first bytes; what is no whole header is no picture."""

import struct

import pytest

from inference.core.picture_header import NoPicture, read
from tests.each import each
from tests.pictures import GIF, JPEG, WEBP_EXTENDED, WEBP_LOSSLESS, WEBP_LOSSY, png


@each(
    ("data", "media_type"),
    [
        (png(), "image/png"),
        (JPEG, "image/jpeg"),
        (GIF, "image/gif"),
        (WEBP_LOSSY, "image/webp"),
        (WEBP_LOSSLESS, "image/webp"),
        (WEBP_EXTENDED, "image/webp"),
    ],
)
def test_the_header_says_type_and_size(data: bytes, media_type: str) -> None:
    header = read(data)
    assert (header.media_type, header.width, header.height) == (media_type, 3, 2)


@each("data", [png(), JPEG, GIF, WEBP_LOSSY, WEBP_LOSSLESS, WEBP_EXTENDED])
def test_whatever_is_left_of_a_file_is_refused_or_read_as_it_was(data: bytes) -> None:
    whole = read(data)
    for end in range(len(data)):
        try:
            assert read(data[:end]) == whole
        except NoPicture:
            continue
    for end in range(min(len(data), 20)):
        with pytest.raises(NoPicture):
            read(data[:end])


@each("data", [png(), JPEG, WEBP_LOSSY, WEBP_LOSSLESS, WEBP_EXTENDED])
def test_a_file_without_its_end_is_cut_off(data: bytes) -> None:
    with pytest.raises(NoPicture, match="cut off"):
        read(data[:-12])


@each(
    "data",
    [b"", b"BM" + bytes(60), b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"II*\0" + bytes(60), bytes(99)],
)
def test_other_files_are_no_pictures(data: bytes) -> None:
    with pytest.raises(NoPicture, match="not a PNG, JPEG, WebP or GIF"):
        read(data)


def test_what_a_program_wrote_behind_a_picture_is_no_part_of_it() -> None:
    assert read(png() + bytes(10**6)) == read(png())


def test_a_picture_without_a_size_is_none() -> None:
    with pytest.raises(NoPicture, match="has no size"):
        read(png(0, 5))


def test_the_exif_data_of_a_jpeg_is_passed_over_with_the_thumbnail_in_it() -> None:
    thumbnail = b"Exif\0\0" + JPEG.replace(b"\0\2\0\3", b"\0\1\0\1")
    segment = b"\xff\xe1" + struct.pack(">H", 2 + len(thumbnail)) + thumbnail
    header = read(JPEG[:2] + segment + JPEG[2:])
    assert (header.width, header.height) == (3, 2)


def test_a_frame_that_is_larger_than_the_screen_of_a_gif_counts() -> None:
    place = GIF.index(b"\x2c")
    frame = struct.pack("<HHHH", 5, 6, 40_000, 30_000)
    header = read(GIF[: place + 1] + frame + GIF[place + 9 :])
    assert (header.width, header.height) == (40_005, 30_006)


@each(
    "data",
    [
        b"\xff\xd8" + b"\xff" * 10**6,
        b"\xff\xd8" + b"\xff\xe0\0\2" * 10**6,
        GIF[: GIF.index(b"\x21")] + b"\x21\xfe" + b"\1\1" * 10**6,
    ],
)
def test_a_file_of_nothing_but_empty_pieces_is_given_up(data: bytes) -> None:
    with pytest.raises(NoPicture, match="its header cannot be read"):
        read(data)
