"""The loading of adapters at their first use, beside the engine: no running sequence waits for the disk.

1. The prompt thread asks for an adapter before it prepares a request.
2. The LoRA thread reads and checks the files, and computes what the layers need (weights.py).
3. The engine puts them into the model between two steps (InstallLora, store.py).
4. The request is prepared, or refused with the reason.
"""

import logging
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from inference.core.requests import Lora
from inference.repository.files.lora import BrokenLora
from inference.worker.engine.commands import InstallLora, RemoveLoras
from inference.worker.lora.weights import Targets, read

logger = logging.getLogger(__name__)
_FAILED = "it could not be loaded; the server's log has the details"
Then = Callable[[str], None]  # called with the problem, which is empty when there is none


class LoraLoader:
    """Loads each adapter once, whatever the number of requests for it. Safe to use from several threads."""

    def __init__(
        self, layers: Targets, *, is_cpu: bool, post: Callable[[InstallLora | RemoveLoras], None]
    ) -> None:
        self._layers = layers
        self._is_cpu = is_cpu
        self._post = post
        self._ready: set[str] = set()
        self._waiting: dict[str, list[Then]] = {}
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lora")

    def is_ready(self, lora: Lora, then: Then) -> bool:
        """Whether an adapter is in the model; if not it is loaded, and `then` called on another thread."""
        with self._lock:
            if lora.key in self._ready:
                return True
            is_loading = lora.key in self._waiting
            self._waiting.setdefault(lora.key, []).append(then)
        if not is_loading:
            self._thread.submit(self._load, lora)
        return False

    def drop(self, names: Collection[str]) -> None:
        """Have the engine drop these adapters; they are loaded again for the next request that needs them."""
        with self._lock:
            keys = tuple(key for key in self._ready if key.partition("@")[0] in names)
            self._ready -= set(keys)
        self._post(RemoveLoras(keys))

    def _load(self, lora: Lora) -> None:
        try:
            weights = read(lora, self._layers, is_cpu=self._is_cpu)
        except BrokenLora as error:
            self._finish(lora, str(error))
        except Exception:  # the boundary: whatever is in the files, only this adapter's requests fail
            logger.exception("Cannot load the adapter %s", lora.name)
            self._finish(lora, _FAILED)
        else:
            self._post(InstallLora(weights, partial(self._on_installed, lora)))

    def _on_installed(self, lora: Lora, removed: Collection[str], has_failed: bool) -> None:
        with self._lock:
            self._ready -= set(removed)
            if not has_failed:
                self._ready.add(lora.key)
        self._finish(lora, _FAILED if has_failed else "")

    def _finish(self, lora: Lora, problem: str) -> None:
        with self._lock:
            waiting = self._waiting.pop(lora.key, [])
        for then in waiting:
            then(problem)
