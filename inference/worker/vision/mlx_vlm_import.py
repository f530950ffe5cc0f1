"""The modules of mlx-vlm that have towers and projectors, imported without the rest of that package.

Its `__init__` imports its servers, its generation and its trainer's imports. A bare module in the package's
place lets one family's modules be imported alone, which need nothing but Pillow beside our own requirements.
"""

import importlib
import sys
from importlib.util import find_spec
from types import ModuleType

_PACKAGE = "mlx_vlm"


class UnknownMlxVlm(Exception):
    """This release of mlx-vlm lacks a name that is used here."""


def is_installed() -> bool:
    """Whether pictures can be read and looked at: Pillow and mlx-vlm are there."""
    return all(name in sys.modules or find_spec(name) for name in (_PACKAGE, "PIL"))


def family_module(name: str, *names: str) -> ModuleType:
    """`mlx_vlm.models.<name>`, which has all of `names`; raises UnknownMlxVlm."""
    if _PACKAGE not in sys.modules:
        sys.modules[_PACKAGE] = _bare_package()
    try:
        module = importlib.import_module(f"{_PACKAGE}.models.{name}")
    except ImportError as error:
        raise UnknownMlxVlm(f"mlx-vlm's {name} cannot be imported: {error}") from error
    if missing := [one for one in names if not hasattr(module, one)]:
        raise UnknownMlxVlm(f"mlx-vlm's {name} has no {', '.join(missing)}")
    return module


def _bare_package() -> ModuleType:
    spec = find_spec(_PACKAGE)
    if spec is None or spec.submodule_search_locations is None:
        raise UnknownMlxVlm("mlx-vlm is not installed")
    package = ModuleType(_PACKAGE)
    package.__spec__, package.__path__ = spec, list(spec.submodule_search_locations)
    return package
