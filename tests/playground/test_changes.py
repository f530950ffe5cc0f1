"""Changes reach the pages of their owner, in order, and a slow page reads everything again."""

import uuid

from playground.changes import LISTED, MAX_WAITING, MISSED, Changes, deleted, messages

CHAT = uuid.uuid4()


def test_each_page_of_the_owner_gets_each_change_and_no_other_owner() -> None:
    changes = Changes()
    with (
        changes.listening("ann") as first,
        changes.listening("ann") as second,
        changes.listening("") as other,
    ):
        changes.publish("ann", messages(CHAT, 5))
        changes.publish("ann", deleted(CHAT))
        for page in (first, second):
            assert page.get_nowait() == {"type": "messages", "conversation": str(CHAT), "newest": 5}
            assert page.get_nowait()["type"] == "deleted"
        assert other.empty()


def test_a_page_that_has_gone_gets_nothing() -> None:
    changes = Changes()
    with changes.listening("ann") as page:
        pass
    changes.publish("ann", LISTED)
    assert page.empty() and changes._pages == {}


def test_a_page_that_does_not_read_is_bounded_and_reads_everything_again() -> None:
    changes = Changes()
    with changes.listening("ann") as page:
        for _ in range(MAX_WAITING + 1):
            changes.publish("ann", LISTED)
        assert page.get_nowait() is MISSED
        assert page.empty()
        changes.publish("ann", LISTED)
        assert page.qsize() == 1
