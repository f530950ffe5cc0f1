"""A faster import of transformers, which every worker waits for at its start.

On import transformers reads all 3,000 files of its models for their `__all__`, and goes through each line by
line: a quarter of a worker's imports. Here the last `__all__` at the start of a line is searched instead, and
transformers' own function reads on from there, so it finds the same names.
"""

import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from types import ModuleType

_MODULE = "transformers.utils.import_utils"
_FUNCTION = "fetch__all__"


def install() -> None:
    """Have transformers imported this way, unless it is imported already. Idempotent."""
    if _MODULE not in sys.modules and not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    """Finds the one module whose function is replaced."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != _MODULE:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec and spec.loader:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(Loader):
    def __init__(self, original: Loader) -> None:
        self._original = original

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._original.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._original.exec_module(module)
        # A release without the function is imported as it is.
        if original := getattr(module, _FUNCTION, None):
            setattr(module, _FUNCTION, from_last_all(original))


def from_last_all(original: Callable[[str], list[str]]) -> Callable[[str], list[str]]:
    """`original`, given a module's text from its last line that begins with `__all__`: it reads no other."""

    def fetch(text: str) -> list[str]:
        start = text.rfind("\n__all__") + 1
        return original(text[start:])

    return fetch
