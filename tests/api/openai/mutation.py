"""Whether a row's test can fail: the server is changed for one field, and the row's tests have to fail.

    python -m tests.api.openai.mutation [FIELD ...]

works in a copy of the sources and prints the fields whose tests still pass. An enforced field is taken and
ignored; a noted field, which may change nothing, changes another field of its object. It takes many minutes,
so it is for a nightly run and for whoever changes a proof; what the gate checks is in test_reference.py.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from inference.api.openai.schemas import Strict
from inference.core.config import BASE_DIR
from tests.api.openai import reference

# Whether these are sent changes nothing: a schema is enforced in any case and its name is a label, an item is
# a message, a call is one of a function and a tool is the client's own anyway.
_EITHER_WAY = {
    ("SchemaBody", "name"),
    ("SchemaBody", "strict"),
    ("TextFormat", "strict"),
    ("MessageItem", "type"),
    ("CallBody", "type"),
    ("CustomCallBody", "type"),
    ("CustomTool", "type"),
}
_BASE = Path("inference/api/http/strict_schema.py")
# Appended to the base of every body: one field of one class is taken and forgotten.
_FORGETTING = """

class _Forgetting:
    names = Strict.__dict__["names"].__func__
    is_noted = Strict.__dict__["_is_noted"].__func__


def _names(cls: Any) -> set[str]:
    forgotten = {{"{field}"}} if cls.__name__ == "{owner}" else set()
    return _Forgetting.names(cls) - forgotten


def _is_noted(cls: Any, name: str, value: Any, info: Any) -> bool:
    is_forgotten = (cls.__name__, name) == ("{owner}", "{field}")
    return not is_forgotten and bool(_Forgetting.is_noted(cls, name, value, info))


Strict.names = classmethod(_names)
Strict._is_noted = classmethod(_is_noted)
"""


# The same for a field that is noted: where it is sent, the first of the others that can be is changed.
_ACTING = """

_own_names = Strict.__dict__["_by_own_name"].__func__


def _changed(value: Any) -> Any:
    return not value if isinstance(value, bool) else value + 1 if isinstance(value, int) else value + "x"


def _by_own_name(cls: Any, data: Any) -> Any:
    fields, sent_as = _own_names(cls, data)
    if cls.__name__ == "{owner}" and fields.get("{field}") is not None:
        plain = [name for name in fields if name in cls.names() and isinstance(fields[name], (str, int))]
        changed = [name for name in plain if name not in ("type", "role")] or plain
        fields |= {{name: _changed(fields[name]) for name in changed[:1]}}
    return fields, sent_as


Strict._by_own_name = classmethod(_by_own_name)
"""


class Mutant(NamedTuple):
    """A change of the sources, and the tests of which one has to fail on it."""

    owner: str  # the name of the field's class
    field: str
    change: str  # appended to the base of every body
    tests: tuple[str, ...]


def mutants() -> list[Mutant]:
    """Return those of all fields; a field of several endpoints has one for each different set of tests."""
    return list(dict.fromkeys((*_forgetting(), *_acting())))


def _forgetting() -> Iterator[Mutant]:
    for name, body in reference.BODIES.items():
        for owner, field, path in reference.fields(body):
            known = owner.model_fields[_attribute(owner, field)]
            # A body cannot be without what is required.
            if known.is_required() or reference.is_taken(known) or (owner.__name__, field) in _EITHER_WAY:
                continue
            yield _mutant(owner, field, _FORGETTING, reference.proofs_of(name, path))


def _acting() -> Iterator[Mutant]:
    for name, body in reference.BODIES.items():
        owners = dict.fromkeys((body, *(owner for owner, _, _ in reference.fields(body))))
        for owner in owners:
            for field in owner.noted:
                yield _mutant(owner, field, _ACTING, (reference.handled_by(name)["noted"],))


def _mutant(owner: type[Strict], field: str, change: str, tests: tuple[str, ...]) -> Mutant:
    return Mutant(owner.__name__, field, change.format(owner=owner.__name__, field=field), tests)


def _attribute(owner: type[Strict], field: str) -> str:
    return next(name for name, known in owner.model_fields.items() if (known.alias or name) == field)


def is_noticed(copy: Path, mutant: Mutant) -> bool:
    """Whether a test of the field fails in the copy of the sources; raises RuntimeError if none can run."""
    original = (BASE_DIR / _BASE).read_text()
    (copy / _BASE).write_text(original + mutant.change)
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "-p",
            "no:cacheprovider",
            *(f"tests/{test}" for test in mutant.tests),
        ],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if run.returncode > 1:
        raise RuntimeError(f"{mutant.tests} did not run:\n{run.stdout[-2000:]}")
    return run.returncode == 1


def main(wanted: list[str]) -> int:
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "site"
        ignored = shutil.ignore_patterns(".*", "__pycache__", "node_modules")
        shutil.copytree(BASE_DIR, copy, ignore=ignored)
        for mutant in mutants():
            if wanted and not {mutant.field, mutant.owner} & set(wanted):
                continue
            is_dead = is_noticed(copy, mutant)
            survivors += not is_dead
            word = "noticed " if is_dead else "UNNOTICED"
            print(f"{word} {mutant.owner}.{mutant.field}  {', '.join(mutant.tests)}", flush=True)
    return survivors


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))
