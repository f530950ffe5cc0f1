"""How long the prompt that is being prepared has taken, and may take."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from inference.worker.rendering import template_renderer

# Of the limit, for chat templates. They end their request where they take longer; what takes as long as the
# whole limit is no template, cannot be stopped, and ends the process (session.py).
_RENDER_SHARE = 0.5


class PreparationTime:
    """The time of one prompt after the other; `limit_s` is for each."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._since: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether the prompt that is being prepared took longer than the limit."""
        return self._since is not None and time.perf_counter() - self._since > self._limit_s

    @contextmanager
    def of_one(self) -> Iterator[None]:
        """A prompt is prepared while the block runs."""
        self._since = time.perf_counter()
        try:
            with template_renderer.shared().within(self._limit_s * _RENDER_SHARE):
                yield
        finally:
            self._since = None
