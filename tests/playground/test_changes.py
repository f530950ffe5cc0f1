"""Changes reach the pages of their account, in order, and a slow page reads everything again."""

import uuid

from playground.changes import MAX_WAITING, MISSED, Changes

CHAT = uuid.uuid4()


def test_each_page_of_the_account_gets_each_change_and_no_other_account() -> None:
    changes = Changes()
    with changes.listening(1) as first, changes.listening(1) as second, changes.listening(None) as stranger:
        changes.publish(1, CHAT, "messages", 5)
        changes.publish(1, CHAT, "deleted")
        for page in (first, second):
            assert page.get_nowait() == {"type": "messages", "conversation": str(CHAT), "newest": 5}
            assert page.get_nowait()["type"] == "deleted"
        assert stranger.empty()


def test_a_page_that_has_gone_gets_nothing() -> None:
    changes = Changes()
    with changes.listening(1) as page:
        pass
    changes.publish(1, CHAT, "listed")
    assert page.empty()


def test_a_page_that_does_not_read_is_bounded_and_reads_everything_again() -> None:
    changes = Changes()
    with changes.listening(1) as page:
        for _ in range(MAX_WAITING + 1):
            changes.publish(1, CHAT, "listed")
        assert page.get_nowait() == MISSED
        assert page.empty()
        changes.publish(1, CHAT, "listed")
        assert page.qsize() == 1
