"""The environment of processes that the site starts: what they need, and none of its secrets.

A worker renders templates and reads files of unknown origin. It must not see secrets of the site or of
the account that started it, so its environment is an allow list.
"""

import os
import re
from collections.abc import Mapping

from inference.core.installation import BASE_DIR

_INSTALLED = frozenset({"site-packages", "dist-packages"})
_NAMES = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TMP", "TEMP", "LANG", "LANGUAGE", "TZ"),
        *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"),
        *("VIRTUAL_ENV", "CONDA_PREFIX", "__PYVENV_LAUNCHER__", "__CF_USER_TEXT_ENCODING"),
        *("LD_LIBRARY_PATH", "LD_PRELOAD", "LD_BIND_NOW", "NIX_LD", "NIX_LD_LIBRARY_PATH", "GLIBC_TUNABLES"),
        # MLX compiles kernels as it goes: with the system's compiler on a CPU, with Xcode's tools on a Mac.
        *("CC", "CXX", "CPATH", "LIBRARY_PATH", "SDKROOT", "DEVELOPER_DIR", "GOTO_NUM_THREADS"),
        *("HF_HOME", "HF_HUB_CACHE", "RAYON_NUM_THREADS"),
    }
)
_PATTERNS = re.compile(
    r"LC_[A-Z]+"
    r"|PYTHON_?[A-Z0-9]+"  # Python's own names are one word
    r"|(?:DYLD|MLX|METAL|MTL|CUDA|CUDNN|CUBLAS|NVIDIA|NCCL|OMP|GOMP|KMP|OPENBLAS|BLIS|MKL|VECLIB|MALLOC)_[A-Z0-9_]+"
    r"|Malloc[A-Za-z]+"  # macOS
)
# Whatever the prefix of its name: an MLX_API_KEY is a secret all the same.
_SECRETS = re.compile(r"TOKEN|SECRET|PASS|CREDENTIAL|AUTH|COOKIE|(?:^|_)(?:KEYS?|PWD)(?:_|$)")
_OURS = "MLX_SERVER_"
_FIXED = {
    # Never a look at the network.
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONUNBUFFERED": "1",
    "PYDANTIC_DISABLE_PLUGINS": "__all__",  # Logfire's would send from a worker, and costs seconds of a start
}


def of_workers(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a process that reads a model's files, made of this process's or of `given`."""
    given = os.environ if given is None else given
    kept = {name: value for name, value in given.items() if _is_needed(name)}
    return kept | _FIXED | for_our_modules(given)


def of_helpers() -> dict[str, str]:
    """The environment of a process that fetches something: all of ours, but for the site's own settings."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(_OURS)}
    return kept | for_our_modules()


def for_our_modules(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """What makes `python -m` find our modules wherever the site was started, and no others in their place.

    Python looks in the current folder first unless PYTHONSAFEPATH is set; any file there could be taken for
    one of the modules that it imports.
    """
    given = os.environ if given is None else given
    before = [part for part in given.get("PYTHONPATH", "").split(os.pathsep) if part]
    # Among installed packages it is found anyway, and they must not come before Python's own modules.
    ours = [] if BASE_DIR.name in _INSTALLED else [str(BASE_DIR)]
    path = os.pathsep.join([*ours, *(part for part in before if part not in ours)])
    return {"PYTHONSAFEPATH": "1"} | ({"PYTHONPATH": path} if path else {})


def _is_needed(name: str) -> bool:
    is_known = name in _NAMES or _PATTERNS.fullmatch(name) is not None
    return is_known and not name.startswith(_OURS) and not _SECRETS.search(name.upper())
