"""The settings about pictures."""

import pytest
from pydantic import ValidationError

from inference.core.config import Config


@pytest.mark.parametrize(
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


def test_the_largest_picture_fits_a_body_as_base64() -> None:
    assert Config().picture_bytes * 4 // 3 < Config().picture_body_bytes
