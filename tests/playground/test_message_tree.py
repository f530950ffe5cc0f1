"""The shape of a tree: what is below a message, and what is shown once it is deleted."""

from datetime import UTC, datetime, timedelta

from playground.message_tree import MessageNode, MessageTree
from tests.each import each

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def tree(*places: tuple[int, int | None, str], late: int = 0) -> MessageTree:
    """A tree of these messages, each made a minute after the one before; `late` was changed last."""
    return MessageTree(
        MessageNode(one, parent, role, NOON + timedelta(minutes=one + (1000 if one == late else 0)))
        for one, parent, role in places
    )


CHAT = (
    (1, None, "user"),
    (2, 1, "assistant"),
    (3, 1, "assistant"),
    (4, 1, "assistant"),
    (5, 2, "user"),
    (6, 5, "assistant"),
    (7, None, "user"),
)


@each(("message", "below"), [(1, [1, 2, 3, 4, 5, 6]), (2, [2, 5, 6]), (4, [4]), (7, [7])])
def test_all_branches_are_below_a_message(message: int, below: list[int]) -> None:
    assert sorted(tree(*CHAT).below(message)) == below


@each(
    ("message", "tip"),
    [(4, 3), (3, 6), (2, 4 - 1), (6, 5), (5, 2), (1, 7), (7, 4)],
)
def test_the_alternative_before_is_shown_then_the_one_after_then_what_is_above(
    message: int, tip: int
) -> None:
    assert tree(*CHAT).tip_without(message) == tip


def test_nothing_is_shown_after_the_last_message_of_all() -> None:
    assert tree((1, None, "user")).tip_without(1) is None


def test_an_answer_that_was_edited_counts_as_the_newest() -> None:
    assert tree(*CHAT).newest_tip(1) == 4
    assert tree(*CHAT, late=2).newest_tip(1) == 6
    assert tree(*CHAT, late=2).tip_without(2) == 4


def test_without_alternatives_what_else_follows_the_message_above_is_shown() -> None:
    assert tree((1, None, "user"), (2, 1, "assistant"), (3, 1, "user")).tip_without(2) == 3
