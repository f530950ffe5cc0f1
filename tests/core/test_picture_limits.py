"""The settings about pictures."""

import pytest
from pydantic import ValidationError

from inference.core.config import Config
from tests.each import each


@each(
    "wrong",
    [
        {"picture_body_bytes": 1},
        {"picture_bytes": 0},
        {"picture_pixels": 0},
        {"picture_pixels": 10**12},
        {"picture_count": -1},
        {"picture_tokens": 0},
    ],
)
def test_it_refuses_limits_that_allow_nothing_or_everything(wrong: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        Config(**wrong)  # type: ignore[arg-type]


def test_no_pictures_at_all_may_be_wanted() -> None:
    assert Config(picture_count=0).picture_count == 0


def test_hosts_of_pictures_are_exact_names() -> None:
    assert Config(picture_hosts=" Img.Example , b.example:8080,").picture_host_list == [
        "img.example",
        "b.example:8080",
    ]
    assert Config().picture_host_list == []


@each("wrong", ["*", "*.example", "https://a.example", "a.example/b", "10.0.0.1", ".a.example", "a:0", "a:b"])
def test_what_is_no_name_of_a_host_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError):
        Config(picture_hosts=wrong)


def test_the_largest_picture_fits_a_body_as_base64() -> None:
    assert Config().picture_bytes * 4 // 3 < Config().picture_body_bytes
