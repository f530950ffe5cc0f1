"""The packages of the extra `vision`, as far as the site looks for them: it imports none."""

import importlib
import importlib.util
import sys
from pathlib import Path

import pytest

_PACKAGES = ("PIL", "mlx_vlm")


def install(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Put those that are missing where Python finds them."""
    for name in _PACKAGES:
        if importlib.util.find_spec(name) is None:
            (folder / name).mkdir(parents=True)
            (folder / name / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(folder))
    importlib.invalidate_caches()


def uninstall(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Python find none of them."""
    for name in _PACKAGES:
        monkeypatch.setitem(sys.modules, name, None)
