"""Events reach the windows of their owner, in order."""

from playground.live_events import _MOST_WAITING, LIST_CHANGED, LiveEvents


def test_each_window_of_an_owner_receives_them() -> None:
    events = LiveEvents()
    with events.subscribed("ann") as one, events.subscribed("ann") as two, events.subscribed("bob") as other:
        events.publish("ann", {"type": "title"})
        assert one.get_nowait() == two.get_nowait() == {"type": "title"}
        assert other.empty()
    events.publish("ann", {"type": "title"})
    assert one.empty() and events._queues == {}


def test_a_window_that_reads_too_slowly_loads_the_list_again() -> None:
    events = LiveEvents()
    with events.subscribed("ann") as window:
        for number in range(_MOST_WAITING + 1):
            events.publish("ann", {"type": "title", "title": str(number)})
        assert window.get_nowait() == LIST_CHANGED
        assert window.get_nowait()["title"] == str(_MOST_WAITING)
        assert window.empty()
