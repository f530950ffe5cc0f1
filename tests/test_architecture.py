"""The structure of docs/architecture.md, held to: who may import whom, and how large things may grow."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlxsite.config import BASE_DIR

OURS = ("inference", "playground", "mlxsite")
NOUNS = (
    "inference.types",
    "inference.requests",
    "inference.errors",
    "inference.protocol",
    "inference.blas",
    "inference.weights",
    "inference.pooling",
    "inference.prediction",
    "inference.foreign_code",
    "inference.gguf",
    "inference.disk",
    "inference.context_length",
    "inference.tree",
    "inference.small_files",
    "inference.looks",
    "inference.threads",
    "inference.environment",
)
MIDDLE = (
    "inference.places",
    "inference.hub_cache",
    "inference.catalog",
    "inference.pool",
    "inference.adapters",
    "inference.sources",
)
USE_CASE = (
    *("inference.chat", "inference.control", "inference.runtime", "inference.tracing"),
    *("inference.models", "inference.choices", "inference.journal", "inference.writer"),
    *("inference.keys", "inference.recording", "inference.streams"),
    *("inference.dashboard.bar", "inference.dashboard.hour"),
)

# Longest prefix wins. What a package may import of ours, besides itself and inference/__init__.py.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "inference.types": ("inference.requests",),
    "inference.requests": (),
    "inference.errors": (),
    "inference.blas": (),
    "inference.weights": ("inference.small_files",),
    "inference.pooling": (),
    "inference.prediction": ("inference.weights",),
    "inference.foreign_code": (),
    "inference.gguf": (),
    "inference.disk": (),
    "inference.context_length": (),
    "inference.tree": (),
    "inference.small_files": (),
    "inference.looks": (),
    "inference.threads": (),
    "inference.environment": (),
    "inference.places": NOUNS,
    "inference.hub_cache": (*NOUNS, "inference.places"),
    "inference.models": (*NOUNS, "inference.adapters", "inference.keys", "inference.recording"),
    "inference.writer": (),
    "inference.keys": NOUNS,
    "inference.recording": (*NOUNS, "inference.keys", "inference.writer"),
    "inference.streams": (*NOUNS, "inference.recording"),
    "inference.dashboard.bar": NOUNS,
    "inference.dashboard.hour": (*NOUNS, "inference.dashboard.bar", "inference.streams"),
    "inference.dashboard.process": NOUNS,
    "inference.protocol": ("inference.types", "inference.requests", "inference.errors"),
    "inference.tracing": NOUNS,
    "inference.catalog": (*NOUNS, "inference.places", "inference.hub_cache"),
    "inference.adapters": NOUNS,
    "inference.sources": NOUNS,
    "inference.pool": (*NOUNS, "inference.tracing"),
    "inference.worker": (*NOUNS, "inference.adapters"),
    "inference.choices": (*NOUNS, "inference.models"),
    "inference.journal": (*NOUNS, "inference.models", "inference.writer"),
    "inference.chat": (*NOUNS, *MIDDLE, *USE_CASE),
    "inference.control": (*NOUNS, *MIDDLE, *USE_CASE),
    "inference.runtime": (*NOUNS, *MIDDLE, *USE_CASE),
    "inference.doctor": (*NOUNS, *MIDDLE, *USE_CASE),
    "inference.bench": (*NOUNS, *MIDDLE, *USE_CASE, "mlxsite"),
    "inference": (*NOUNS, *MIDDLE, *USE_CASE, "inference", "mlxsite"),
    "playground": (*NOUNS, *MIDDLE, *USE_CASE, "inference", "mlxsite"),
    "mlxsite": (*NOUNS, *MIDDLE, *USE_CASE, "inference", "playground"),
}
ONLY_IN_WORKERS = ("mlx", "mlx_lm", "transformers")
MOST_LINES = 350
MOST_LINES_OF_A_FUNCTION = 50
LONGER: dict[str, str] = {}  # file: why it may be longer


def sources() -> list[Path]:
    found = [path for package in OURS for path in (BASE_DIR / package).rglob("*.py")]
    return [path for path in found if "migrations" not in path.parts]


def module_name(path: Path) -> str:
    name = ".".join(path.relative_to(BASE_DIR).with_suffix("").parts)
    return name.removesuffix(".__init__")


def imports(path: Path) -> Iterator[str]:
    """Every module a file imports when it runs, also inside functions; not those for type checking."""
    tree = ast.parse(path.read_text())
    hidden = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and "TYPE_CHECKING" in ast.dump(branch.test)
        for statement in branch.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_below(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def layer_of(module: str) -> str:
    return max((layer for layer in MAY_IMPORT if is_below(module, (layer,))), key=len)


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(BASE_DIR)))
def test_imports_point_down_only(path: Path) -> None:
    layer = layer_of(module_name(path))
    allowed = (layer, *MAY_IMPORT[layer])
    ours = [module for module in imports(path) if is_below(module, OURS)]
    assert [m for m in ours if not is_below(m, allowed) and m != "inference.__version__"] == []


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(BASE_DIR)))
def test_only_workers_import_mlx_and_workers_import_no_django(path: Path) -> None:
    is_worker = is_below(module_name(path), ("inference.worker",))
    forbidden = ("django", "channels", "ninja", "daphne") if is_worker else ONLY_IN_WORKERS
    assert [module for module in imports(path) if is_below(module, forbidden)] == []


def test_nobody_but_the_worker_imports_the_worker() -> None:
    guilty = [
        path
        for path in sources()
        if not is_below(module_name(path), ("inference.worker",))
        and any(is_below(module, ("inference.worker",)) for module in imports(path))
    ]
    assert guilty == []


def test_the_site_process_leaves_mlx_alone(tmp_path: Path) -> None:
    program = (
        "import sys, mlxsite.asgi, mlxsite.urls, inference.admin, inference.management.commands.serve;"
        "print([name for name in ('mlx', 'mlx_lm', 'transformers', 'torch') if name in sys.modules])"
    )
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "mlxsite.settings", "MLX_SERVER_DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=BASE_DIR, env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("pattern", ["*.py", "*.js"])
def test_no_file_grows_beyond_its_size(pattern: str) -> None:
    roots = [*(BASE_DIR / package for package in (*OURS, "tests")), BASE_DIR / "static"]
    files = [path for root in roots for path in root.rglob(pattern) if "vendor" not in path.parts]
    long = {
        str(path.relative_to(BASE_DIR)): lines
        for path in files
        if (lines := len(path.read_text().splitlines())) > MOST_LINES
    }
    assert files
    assert {name: lines for name, lines in long.items() if name not in LONGER} == {}


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(BASE_DIR)))
def test_functions_fit_on_a_screen(path: Path) -> None:
    functions = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    long = {
        f.name: length
        for f in functions
        if (length := (f.end_lineno or 0) - f.lineno + 1) > MOST_LINES_OF_A_FUNCTION
    }
    assert long == {}


@pytest.mark.parametrize(
    "needle", ["import pickle", "torch.load", "allow_pickle", "trust_remote_code=True", "eval("]
)
def test_nothing_of_ours_runs_foreign_code(needle: str) -> None:
    guilty = [
        str(path.relative_to(BASE_DIR))
        for path in sources()
        for line in path.read_text().splitlines()
        if needle in re.sub(r"(mx\.(async_)?eval|\.eval)\(", "", line)
    ]
    assert guilty == []
