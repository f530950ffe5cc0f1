"""The structure of docs/architecture.md, held to: who may import whom, and how large things may grow."""

import ast
import os
import re
import statistics
import subprocess
import sys
from collections import defaultdict
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from inference.core.config import BASE_DIR
from tests.each import each

OURS = ("inference", "playground", "mlxsite")

# Every folder, from the top floor down, with the folders that it may import. None may import one above it.
MAY_IMPORT: dict[str, str] = {
    "inference.management": "mlxsite api serving accounts storage fronts models repository connect pool core",
    "mlxsite": "playground admin api serving fronts core",
    "inference.templatetags": "admin serving accounts models core",
    "inference.admin": "api serving accounts storage models repository adapters connect core",
    "playground": "api serving accounts storage fronts core",
    "inference.api": "serving accounts storage fronts connect core",
    "inference.apps": "checks serving accounts models",
    "inference.checks": "core",
    "inference.serving": "accounts storage fronts models repository adapters upstreams pool core",
    "inference.accounts": "storage fronts models core",
    "inference.worker": "repository adapters core",
    "inference.storage": "models core",
    "inference.fronts": "core",
    "inference.models": "adapters core",
    "inference.repository": "core",
    "inference.adapters": "core",
    "inference.connect": "",
    "inference.upstreams": "core",
    "inference.pool": "core",
    "inference.core": "",
}
ONLY_IN_WORKERS = ("mlx", "mlx_lm", "mlx_vlm", "transformers", "PIL")
MOST_LINES = 300
MOST_LINES_OF_NINE_IN_TEN = 200
MOST_LINES_OF_A_FUNCTION = 50
MOST_NESTING = 4

# The names that several classes have, and why.
OCCUR_TWICE = {
    "Command": "Django finds a command by it",
    "Meta": "Django's and Ninja's options of a class",
    "Gemma4": "the adapters of one family, for text and for pictures",
    "Qwen": "the adapters of one family, for text and for pictures",
    "Message": "a message of a request, and the table that stores one",
    "PoolEvent": "a decision of the pool, and the table that stores one",
    "StepCost": "one structure on both sides of a pipe; the benchmark may not import the worker",
    "StepRound": "one structure on both sides of a pipe; the benchmark may not import the worker",
}
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)


@cache
def sources() -> list[Path]:
    found = [path for package in OURS for path in (BASE_DIR / package).rglob("*.py")]
    return [path for path in found if "migrations" not in path.parts]


def module_name(path: Path) -> str:
    name = ".".join(path.relative_to(BASE_DIR).with_suffix("").parts)
    return name.removesuffix(".__init__")


@cache
def nodes(path: Path) -> list[ast.AST]:
    """The imports and functions of a file, wherever they are in it."""
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, kinds)]


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module a file imports: at its top, inside functions and for type checking."""
    found = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def is_below(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def folder_of(module: str) -> str:
    """`inference.pool` of `inference.pool.scheduling.scheduler`; the app alone for its own names."""
    package, *rest = module.split(".")
    return f"{package}.{rest[0]}" if package == "inference" and rest else package


def allowed(folder: str) -> set[str]:
    """The folders on its line, by their full names."""
    return {name if name in OURS else f"inference.{name}" for name in MAY_IMPORT[folder].split()}


def arrows() -> dict[str, set[str]]:
    """Which of our modules imports which."""
    modules = {module_name(path): path for path in sources()}
    return {
        name: {m if m in modules else m.rpartition(".")[0] for m in imports(path)} & modules.keys() - {name}
        for name, path in modules.items()
    }


def circles(graph: dict[str, set[str]]) -> list[tuple[str, ...]]:
    """The first circle of a graph, if it has one."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [error.args[1]]
    return []


def test_a_folder_imports_those_of_its_line_only() -> None:
    guilty = {module_name(path): beyond_its_line(path) for path in sources()}
    assert {name: found for name, found in guilty.items() if found} == {}


def beyond_its_line(path: Path) -> set[str]:
    """The folders that a file may not import and does."""
    own = folder_of(module_name(path))
    ours = {module for module in imports(path) if is_below(module, OURS)}
    if own == "inference":
        return ours
    return {folder_of(module) for module in ours} - allowed(own) - {own, "inference.__version__"}


def test_no_line_names_a_folder_above_it_or_one_that_it_does_not_need() -> None:
    floors = list(MAY_IMPORT)
    needed: dict[str, set[str]] = {folder: set() for folder in floors}
    for module, imported in arrows().items():
        needed.get(folder_of(module), set()).update(folder_of(m) for m in imported)
    for folder in floors:
        assert allowed(folder) <= set(floors[floors.index(folder) + 1 :]), folder
        assert allowed(folder) <= needed[folder], folder


def test_no_files_import_each_other_in_a_circle() -> None:
    assert circles(arrows()) == []


def test_no_folders_beside_each_other_import_each_other_in_a_circle() -> None:
    beside: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for module, imported in arrows().items():
        for other in imported:
            shared = os.path.commonprefix([module.split("."), other.split(".")])
            here, there = (".".join(name.split(".")[: len(shared) + 1]) for name in (module, other))
            if shared and here != there:  # the apps themselves have their lines in MAY_IMPORT
                beside[".".join(shared)][here].add(there)
    assert len(beside) > 10
    assert {parent: found for parent, graph in beside.items() if (found := circles(graph))} == {}


def test_only_workers_import_mlx_and_workers_import_no_django() -> None:
    guilty = {}
    for path in sources():
        is_worker = is_below(module_name(path), ("inference.worker",))
        forbidden = ("django", "channels", "ninja", "daphne") if is_worker else ONLY_IN_WORKERS
        if found := [module for module in imports(path) if is_below(module, forbidden)]:
            guilty[module_name(path)] = found
    assert guilty == {}


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
        f"print([name for name in {(*ONLY_IN_WORKERS, 'torch')} if name in sys.modules])"
    )
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "mlxsite.settings", "MLX_SERVER_DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=BASE_DIR, env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("pattern", ["*.py", "*.js"])
def test_no_file_grows_beyond_its_size(pattern: str) -> None:
    roots = [*(BASE_DIR / package for package in (*OURS, "tests")), BASE_DIR / "static"]
    others = {"vendor", "node_modules"}
    files = [path for root in roots for path in root.rglob(pattern) if not others.intersection(path.parts)]
    long = {
        str(path.relative_to(BASE_DIR)): lines
        for path in files
        if (lines := len(path.read_text().splitlines())) > MOST_LINES
    }
    assert files
    assert long == {}


def test_nine_files_in_ten_are_short() -> None:
    lines = [len(path.read_text().splitlines()) for path in sources() if path.name != "__init__.py"]
    assert statistics.quantiles(lines, n=10)[-1] <= MOST_LINES_OF_NINE_IN_TEN


def test_functions_fit_on_a_screen() -> None:
    long = {
        f"{module_name(path)}.{node.name}": length
        for path in sources()
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > MOST_LINES_OF_A_FUNCTION
    }
    assert long == {}


def test_no_two_classes_have_one_name() -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(module_name(path))
    twice = {name: modules for name, modules in found.items() if len(modules) > 1}
    assert {name: modules for name, modules in twice.items() if name not in OCCUR_TWICE} == {}
    assert OCCUR_TWICE.keys() - twice.keys() == set()


def nesting(node: ast.AST) -> int:
    """How many blocks are inside each other below `node`; an `elif` is as deep as its `if`."""
    return max((_nesting_with(node, child) for child in ast.iter_child_nodes(node)), default=0)


def _nesting_with(parent: ast.AST, node: ast.AST) -> int:
    is_elif = isinstance(parent, ast.If) and isinstance(node, ast.If) and parent.orelse == [node]
    return nesting(node) + (isinstance(node, BLOCKS) and not is_elif)


def test_blocks_are_not_nested_deeply() -> None:
    deep = {
        f"{module_name(path)}.{node.name}": depth
        for path in sources()
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (depth := nesting(node)) > MOST_NESTING
    }
    assert deep == {}


def test_nesting_counts_blocks_and_takes_elif_for_if() -> None:
    chain = "if a:\n    pass\nelif b:\n    pass\nelse:\n    for c in d:\n        pass"
    assert nesting(ast.parse(chain)) == 2
    assert (
        nesting(
            ast.parse("with a:\n    try:\n        pass\n    finally:\n        while b:\n            pass")
        )
        == 3
    )


@each("needle", ["import pickle", "torch.load", "allow_pickle", "trust_remote_code=True", "eval("])
def test_nothing_of_ours_runs_foreign_code(needle: str) -> None:
    guilty = [
        str(path.relative_to(BASE_DIR))
        for path in sources()
        for line in path.read_text().splitlines()
        if needle in re.sub(r"(mx\.(async_)?eval|\.eval)\(", "", line)
    ]
    assert guilty == []
