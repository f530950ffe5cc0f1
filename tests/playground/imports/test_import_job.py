"""A turn of an import; tests/playground/test_transfer_api.py has whole ones."""

import gc
from collections.abc import Iterator

import pytest

from playground.imports.import_job import _turn


def test_no_collection_of_garbage_stops_the_site_during_a_turn() -> None:
    seen: list[bool] = []

    def chats() -> Iterator[None]:
        seen.append(gc.isenabled())
        yield
        seen.append(gc.isenabled())
        raise ValueError

    with pytest.raises(ValueError):
        _turn(chats())
    assert seen == [False, False] and gc.isenabled()
