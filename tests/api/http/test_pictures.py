"""Pictures in bodies: what is wrong with one is said at its place, before anything is decoded."""

from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from inference.api.http.pictures import content_of, data_url
from inference.api.http.strict_json import check
from inference.api.openai.schemas import ChatCompletionBody
from inference.core.config import Config
from inference.core.errors import BodyTooLarge, InvalidValue, ServerError, UnsupportedField
from inference.core.requests import PICTURE, Picture
from tests import pictures
from tests.api.openai.asking import chat_body
from tests.each import each
from tests.pictures import GIF, JPEG, WEBP_LOSSY, png

FIELD = "messages.0.content.1.image_url.url"
WRONG_TYPE, TOO_LONG, TOO_LARGE = "unsupported_image_media_type", "image_file_too_large", "image_too_large"


def body(*urls: Any) -> dict[str, Any]:
    parts = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    return chat_body(messages=[{"role": "user", "content": [{"type": "text", "text": "Hi"}, *parts]}])


def read(*urls: Any) -> tuple[Picture, ...]:
    (message,) = check(body(*urls), ChatCompletionBody).request().messages
    return message.pictures


def refusal(*urls: Any) -> ServerError:
    with pytest.raises((InvalidValue, UnsupportedField)) as caught:
        read(*urls)
    return caught.value


@each(
    ("data", "media_type"),
    [(png(), "image/png"), (JPEG, "image/jpeg"), (WEBP_LOSSY, "image/webp"), (GIF, "image/gif")],
)
def test_a_data_url_of_each_format_is_a_picture(data: bytes, media_type: str) -> None:
    (picture,) = read(pictures.data_url(data, media_type))
    assert picture == Picture(data=data, media_type=media_type, width=3, height=2)
    assert read(data_url(picture)) == (picture,)


@each("said", ["image/jpg", "image/gif", "IMAGE/PNG", "image/png;name=a.png"])
def test_what_counts_is_the_file_itself(said: str) -> None:
    (picture,) = read(pictures.data_url(png(), said))
    assert picture.media_type == "image/png"


@each(
    ("url", "says", "code"),
    [
        ("", "must be a data URL", "invalid_image_url"),
        ("x", "must be a data URL", "invalid_image_url"),
        ("file:///etc/passwd", "must be a data URL", "invalid_image_url"),
        (pictures.as_base64(png()), "must be a data URL", "invalid_image_url"),
        ("data:image/png,abc", "must be a data URL", "invalid_image_url"),
        ("data:image/png;base64", "must be a data URL", "invalid_image_url"),
        (
            pictures.data_url(png(), "image/svg+xml"),
            "its type must be one of image/png",
            WRONG_TYPE,
        ),
        (
            pictures.data_url(png(), "text/html"),
            "its type must be one of image/png",
            WRONG_TYPE,
        ),
        ("data:image/png;base64,", "not a PNG, JPEG, WebP or GIF", "empty_image_file"),
        ("data:image/png;base64,not base64", "not valid base64", "invalid_base64_image"),
        ("data:image/png;base64,iVBORw0KGg=o", "not valid base64", "invalid_base64_image"),
        ("data:image/png;base64,é", "not valid base64", "invalid_base64_image"),
        (pictures.data_url(b"<html>"), "not a PNG, JPEG, WebP or GIF", WRONG_TYPE),
        (pictures.data_url(png()[:-12]), "the file is cut off", "image_parse_error"),
        (pictures.data_url(png(0, 5)), "has no size", "image_parse_error"),
    ],
)
def test_what_is_no_picture_is_refused_at_its_place(url: str, says: str, code: str) -> None:
    error = refusal(url)
    assert (error.code, error.param) == (code, FIELD)
    assert "ould not process image: " in error.message and says in error.message


@pytest.mark.parametrize("url", ["http://a.example/a.png", "HTTPS://a.example/a.png"])
def test_an_address_is_refused_with_what_to_send(url: str) -> None:
    error = refusal(url)
    assert (error.code, error.param) == ("unsupported_parameter", FIELD)
    assert "data:image/png;base64," in error.message and "nothing from a.example" in error.message
    assert "MLX_SERVER_PICTURE_HOSTS" in error.message


def test_an_address_of_an_allowed_host_is_a_picture_to_fetch() -> None:
    urls = ("https://a.example/a.png", "http://b.example:81/b.png")
    config = settings.CONFIG.model_copy(update={"picture_hosts": "a.example,b.example:81"})
    with override_settings(CONFIG=config):
        found = read(*urls)
        assert refusal("https://c.example/a.png").code == "unsupported_parameter"
    assert tuple(one.url for one in found) == tuple(map(data_url, found)) == urls
    assert {one.data for one in found} == {b""}


@each("url", [None, 5, ["x"], {"url": "x"}])
def test_another_value_is_no_url(url: Any) -> None:
    assert refusal(url).param == FIELD


@pytest.mark.parametrize(
    ("data", "says", "code"),
    [
        (
            png(100, 101),
            "100 × 101 pixels, and a picture may have 10,000 (MLX_SERVER_PICTURE_PIXELS)",
            "image_too_large",
        ),
        (png(2**31 - 1, 2**31 - 1), "2147483647 × 2147483647 pixels", TOO_LARGE),
        (
            png() + bytes(2000),
            "a picture may have 2,000 bytes (MLX_SERVER_PICTURE_BYTES)",
            TOO_LONG,
        ),
    ],
)
def test_a_picture_beyond_a_limit_is_refused_with_the_limit(
    data: bytes, says: str, code: str, settings: Any
) -> None:
    settings.CONFIG = Config(picture_pixels=10_000, picture_bytes=2_000)
    error = refusal(pictures.data_url(data))
    assert (error.param, error.code, says in error.message) == (FIELD, code, True)


def test_the_first_picture_beyond_the_count_is_refused(settings: Any) -> None:
    settings.CONFIG = Config(picture_count=2)
    url = pictures.data_url(png())
    assert len(read(url, url)) == 2
    error = refusal(url, url, url)
    assert error.param == "messages.0.content.3.image_url.url"
    assert "may have 2 pictures (MLX_SERVER_PICTURE_COUNT)" in error.message


def test_fifty_pictures_are_too_many_unless_an_operator_allows_them(settings: Any) -> None:
    url = pictures.data_url(png())
    assert "may have 32 pictures" in refusal(*[url] * 50).message
    settings.CONFIG = Config(picture_count=50)
    assert len(read(*[url] * 50)) == 50


def test_pictures_are_no_part_of_the_body_that_is_limited(settings: Any) -> None:
    settings.CONFIG = Config(max_body_bytes=1024)
    url = pictures.data_url(png(500, 500))
    assert len(url) > 1024
    check(body(url), ChatCompletionBody, size=len(url) + 500)
    with pytest.raises(BodyTooLarge):
        check(body(url), ChatCompletionBody, size=len(url) + 1100)


def test_the_mark_of_a_picture_is_taken_out_of_texts_beside_one() -> None:
    picture = Picture(data=b"", media_type="image/png", width=1, height=1)
    content, found = content_of([f"a{PICTURE}b", picture, "c", "d"], between_texts="\n\n")
    assert (content, found) == (f"ab{PICTURE}c\n\nd", (picture,))
