"""The inboxes of a worker's running requests: what its Step frames bring for each of them."""

import asyncio
import itertools

from inference.core.events import Finished
from inference.core.protocol import Happened
from inference.core.refusal import Refusal


class Inboxes:
    """One queue for each running request, by the number that it has in frames."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._by_number: dict[int, asyncio.Queue[Happened]] = {}

    def __len__(self) -> int:
        return len(self._by_number)

    def open(self) -> tuple[int, "asyncio.Queue[Happened]"]:
        """The number and the inbox of a new request."""
        number, inbox = next(self._numbers), asyncio.Queue[Happened]()
        self._by_number[number] = inbox
        return number, inbox

    def close(self, number: int) -> None:
        """Forget a request, if it is not forgotten already."""
        self._by_number.pop(number, None)

    def deliver(self, item: Happened) -> None:
        """Put an item into its inbox; one for a cancelled request is dropped.

        A last item removes the inbox from the table at once, so that a slow reader keeps no worker busy.
        """
        inbox = self._by_number.pop(item.id, None) if is_last(item) else self._by_number.get(item.id)
        if inbox:
            inbox.put_nowait(item)

    def fail_all(self, refusal: Refusal) -> None:
        """Put a failure into every inbox."""
        for number, inbox in self._by_number.items():
            inbox.put_nowait(Happened(id=number, failure=refusal))


def is_last(item: Happened) -> bool:
    """Whether nothing follows for this request."""
    return item.failure is not None or isinstance(item.what, Finished)
