"""A picture as a file: its facts, and why one is refused."""

import pytest
from django.test import override_settings

from inference.core.config import Config
from playground.file_text.limits import NoText
from playground.file_text.picture import picture_of
from tests import pictures
from tests.each import each


@each(
    ("content", "media_type"),
    [
        (pictures.png(3, 2), "image/png"),
        (pictures.JPEG, "image/jpeg"),
        (pictures.GIF, "image/gif"),
        (pictures.WEBP_LOSSY, "image/webp"),
    ],
)
def test_a_picture_has_a_type_and_a_size(content: bytes, media_type: str) -> None:
    picture = picture_of(content)
    assert (picture.data, picture.media_type) == (content, media_type)
    assert (picture.width, picture.height) == (3, 2)


@each(
    ("content", "reason"),
    [
        (pictures.png(3, 2) + b"x" * 1024, "larger than 0.0 MB, the largest picture"),
        (pictures.png(9, 12), "It has 9 × 12 pixels, and a picture may have 100 in all"),
        (pictures.png(3, 2)[:-8], "It is damaged: the file is cut off."),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 40, "It is damaged: its header cannot be read."),
    ],
)
def test_one_that_is_too_large_or_damaged_says_so(content: bytes, reason: str) -> None:
    limits = Config(picture_bytes=1024, picture_pixels=100)
    with override_settings(CONFIG=limits), pytest.raises(NoText) as caught:
        picture_of(content)
    assert reason in str(caught.value)
