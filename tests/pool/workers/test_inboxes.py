"""The inboxes of a worker's running requests."""

from inference.core.errors import WorkerDied
from inference.core.events import Finished, TextDelta, Usage
from inference.core.protocol import Happened
from inference.core.refusal import Refusal
from inference.pool.workers.inboxes import Inboxes, is_last

REFUSAL: Refusal = WorkerDied("It ended.").refusal()
END = Finished(usage=Usage(prompt_tokens=1))


def test_each_request_has_a_number_and_an_inbox_of_its_own() -> None:
    inboxes = Inboxes()
    (first, one), (second, other) = inboxes.open(), inboxes.open()
    assert first != second
    inboxes.deliver(Happened(id=second, what=TextDelta(text="a")))
    assert (one.qsize(), other.qsize()) == (0, 1)


def test_the_last_item_closes_the_inbox_and_is_still_read() -> None:
    inboxes = Inboxes()
    number, inbox = inboxes.open()
    inboxes.deliver(Happened(id=number, what=END))
    inboxes.deliver(Happened(id=number, what=TextDelta(text="late")))
    assert len(inboxes) == 0
    assert inbox.get_nowait().what == END
    assert inbox.empty()


def test_an_item_for_a_cancelled_request_is_dropped() -> None:
    inboxes = Inboxes()
    number, inbox = inboxes.open()
    inboxes.close(number)
    inboxes.close(number)
    inboxes.deliver(Happened(id=number, what=TextDelta(text="a")))
    assert inbox.empty()


def test_a_failure_reaches_every_request() -> None:
    inboxes = Inboxes()
    boxes = [inboxes.open()[1] for _ in range(2)]
    inboxes.fail_all(REFUSAL)
    failures = [box.get_nowait() for box in boxes]
    assert [item.failure for item in failures] == [REFUSAL] * 2
    assert all(map(is_last, failures))
    assert not is_last(Happened(id=1, what=TextDelta(text="a")))
