"""The threads that decode pictures: in order, once, and one broken picture ends its own request alone."""

import queue
from typing import Any

import numpy as np
import pytest

from inference.core.errors import InternalError, InvalidValue, ServerError
from inference.core.requests import Picture
from inference.worker.vision import picture_threads
from inference.worker.vision.picture_threads import PictureThreads
from inference.worker.vision.seen import Seen, digest_of
from tests.tiny_vision import drawn, picture

pytestmark = pytest.mark.mlx
ONE, TWO = picture(drawn(20, 10, seed=1)), picture(drawn(10, 20, seed=2))
BROKEN = Picture(data=b"no", media_type="image/png", width=1, height=1)


class Family:
    """Counts what it sees; one as wide as high is too much for it."""

    name, placeholder, image_token, tower = "test", "[IMG]", "[IMG]", None

    def __init__(self) -> None:
        self.count = 0

    def see(self, image: Any, data: bytes, detail: str) -> Seen:
        self.count += 1
        if image.width == image.height:
            raise RuntimeError("a square")
        return Seen(np.asarray(image)[None], self.image_token * image.width, image.width, digest_of(data))

    def look(self, seen: Seen) -> Any: ...

    def install(self, model: Any) -> None: ...


def see(threads: PictureThreads, *pictures: Picture) -> Any:
    got: queue.Queue[Any] = queue.Queue()
    threads.see([(f"messages.{n}.content", one) for n, one in enumerate(pictures)], got.put)
    return got.get(timeout=20)


def test_pictures_come_in_order_and_are_decoded_once() -> None:
    family = Family()
    threads = PictureThreads(family)
    assert [one.tokens for one in see(threads, ONE, TWO, ONE)] == [20, 10, 20]
    before = family.count
    assert [one.tokens for one in see(threads, TWO, ONE)] == [10, 20]
    assert family.count == before <= 3


def test_those_that_were_not_used_for_longest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_threads, "_KEPT_BYTES", 20 * 10 * 3)
    family = Family()
    threads = PictureThreads(family)
    for given in (ONE, TWO, TWO, ONE):
        see(threads, given)
    assert family.count == 3


@pytest.mark.parametrize("order", [[BROKEN, ONE], [ONE, BROKEN]])
def test_a_broken_picture_is_named(order: list[Picture]) -> None:
    threads = PictureThreads(Family())
    problem = see(threads, *order)
    assert isinstance(problem, InvalidValue)
    assert problem.param == f"messages.{order.index(BROKEN)}.content"
    assert [one.tokens for one in see(threads, ONE)] == [20]


def test_what_nobody_expected_is_an_internal_error() -> None:
    problem = see(PictureThreads(Family()), picture(drawn(9, 9)))
    assert isinstance(problem, ServerError) and isinstance(problem, InternalError)
