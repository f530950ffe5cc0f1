"""Stacked bars as rectangles."""

from inference.admin.usage.stacked_bars import HEIGHT, WIDTH, rectangles


def test_parts_stand_on_each_other_and_the_highest_bar_fills_the_picture() -> None:
    first, second, other = rectangles([[1, 2], [3, 0]])
    assert (first.series, second.series, other.series) == (0, 1, 0)
    assert (second.y, second.height, first.height) == (0, HEIGHT * 0.75, HEIGHT * 0.25)
    assert first.y == second.height and first.y + first.height == HEIGHT
    assert (other.height, other.y) == (HEIGHT / 2, HEIGHT / 2)
    assert first.x == second.x < WIDTH / 2 < other.x and other.x + other.width < WIDTH


def test_nothing_has_no_parts() -> None:
    assert list(rectangles([])) == list(rectangles([[0, 0]])) == []
