"""The events of a response as its stream sends them; keep_alive.py sends them."""

from collections.abc import Callable, Sequence

from inference.api.openai.responses.output_items import StreamEvent
from inference.api.openai.responses.response_writer import ResponsesWriter
from inference.api.openai.responses.trace import NumberedEvents
from inference.core.events import Accepted, Event

OnAccepted = Callable[[Accepted], object]


class ResponseEvents:
    """A StreamWriter of one response. Each batch has to be numbered before the next one is made."""

    def __init__(
        self, writer: ResponsesWriter, numbered: NumberedEvents, on_accepted: OnAccepted = bool
    ) -> None:
        self._writer = writer
        self._numbered = numbered
        self._on_accepted = on_accepted

    def begin(self, accepted: Accepted) -> list[StreamEvent]:
        """The first events, unless a silence has brought them; the values drawn with are known now."""
        self._on_accepted(accepted)
        return [*self._writer.note(accepted), *([] if self._has_begun else self._writer.begin())]

    def write(self, events: Sequence[Event]) -> list[StreamEvent]:
        return [made for event in events for made in self._writer.note(event)]

    def fill(self) -> list[StreamEvent]:
        """An event that says nothing new, since some clients take comments for silence."""
        if not self._has_begun:
            return list(self._writer.begin())
        if events := list(self._writer.beat()):
            self._numbered.beat()
        return events

    @property
    def _has_begun(self) -> bool:
        return self._numbered.count > 0
