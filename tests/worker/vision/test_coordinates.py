"""Time, row and column of the tokens of a prompt; tests of the family compare them with mlx-vlm's."""

import numpy as np

from inference.worker.vision.places import Pictures, place
from inference.worker.vision.seen import Seen, digest_of

IMAGE = 9


def pictures(*parts: int | tuple[int, int]) -> Pictures:
    """Those of a prompt with so many tokens of text and pictures of these grids."""
    prompt: list[int] = []
    seen = []
    for part in parts:
        grid = part if isinstance(part, tuple) else None
        tokens = part if isinstance(part, int) else part[0] * part[1]
        prompt += [IMAGE if grid else 1] * tokens
        if grid:
            seen.append(Seen(np.zeros((1, 1, 1, 3), np.uint8), "", tokens, digest_of(b""), grid))
    return place(prompt, IMAGE, seen)


def test_text_goes_on_behind_the_longer_side_of_a_picture() -> None:
    one = pictures(1, (2, 3), 2, (3, 1), 2)
    assert one.coordinates(0, 14).tolist() == [
        [0, 1, 1, 1, 1, 1, 1, 4, 5, 6, 6, 6, 9, 10],
        [0, 1, 1, 1, 2, 2, 2, 4, 5, 6, 7, 8, 9, 10],
        [0, 1, 2, 3, 1, 2, 3, 4, 5, 6, 6, 6, 9, 10],
    ]
    assert [one.shift(start) for start in (0, 1, 6, 7, 9, 11, 12, 99)] == [0, 0, 0, -3, -3, -3, -3, -3]


def test_a_part_of_a_prompt_and_its_answer_are_counted_alike() -> None:
    one = pictures(2, (4, 5), 3, (1, 7), 4)
    whole = one.coordinates(0, 60)
    for start in range(0, 50, 3):
        assert np.array_equal(one.coordinates(start, 10), whole[:, start : start + 10])
    assert (whole[:, one.end :] == np.arange(one.end, 60) + one.shift(one.end)).all()
    assert one.shift(one.end) == 5 - 20 + 7 - 7


def test_a_picture_without_a_grid_is_counted_like_a_text() -> None:
    seen = Seen(np.zeros((1, 1, 1, 3), np.uint8), "", 3, digest_of(b""))
    one = place([1, IMAGE, 1, IMAGE, IMAGE, 1], IMAGE, [seen])
    assert one.shift(6) == 0
