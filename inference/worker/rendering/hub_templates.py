"""transformers' own way to render a chat template, imported without the rest of that package.

The package imports its model hub, its models and a tokenizer library first, which takes three times as long.
Bare modules in the places of its packages let the one module be imported alone.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

_PACKAGES = ("transformers", "transformers.utils")
_MODULE = "transformers.utils.chat_template_utils"
Render = Callable[..., tuple[list[str], Any]]


def imported() -> Render:
    """`render_jinja_template`; for a process that does not use transformers otherwise."""
    try:
        _put_bare_packages()
        return _render_of(import_module(_MODULE))
    except (ImportError, AttributeError):  # another release, whose module needs more of its package
        for name in [name for name in sys.modules if name.partition(".")[0] == _PACKAGES[0]]:
            del sys.modules[name]
        return _render_of(import_module(_MODULE))


def _render_of(module: ModuleType) -> Render:
    render: Render = module.render_jinja_template
    return render


def _put_bare_packages() -> None:
    spec = find_spec(_PACKAGES[0])
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError("transformers is not installed")
    (folder,) = spec.submodule_search_locations
    for name in _PACKAGES:
        package = ModuleType(name)
        package.__path__ = [folder + name.removeprefix(_PACKAGES[0]).replace(".", "/")]
        sys.modules[name] = package
