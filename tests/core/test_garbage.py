"""The garbage collector after a load, and while very many objects are made."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from inference.core import garbage


class Node:
    """An object that can be part of a cycle."""

    other: "Node | None" = None


def cycle() -> "weakref.ref[Node]":
    first, second = Node(), Node()
    first.other, second.other = second, first
    return weakref.ref(first)


@pytest.fixture(autouse=True)
def unfrozen() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_what_is_alive_is_left_out_of_collections_and_what_is_not_is_freed_first() -> None:
    dead = cycle()
    garbage.freeze()
    assert dead() is None
    assert gc.get_freeze_count() > 1000


def test_cycles_made_later_are_collected() -> None:
    garbage.freeze()
    later = cycle()
    gc.collect()
    assert later() is None


def test_nothing_is_collected_while_it_is_paused_whatever_happens() -> None:
    with pytest.raises(ValueError), garbage.paused():
        assert not gc.isenabled()
        raise ValueError
    assert gc.isenabled()
