"""Whether a row's test can fail: the server ignores one field at a time, and the row's tests have to notice.

    python -m tests.api.openai.mutation [FIELD ...]

works in a copy of the sources and tells the fields whose test still passes. It takes many minutes, so it is
for a nightly run and for whoever changes a proof; what the gate checks is in test_reference.py.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from inference.api.openai.schemas import Strict
from inference.core.config import BASE_DIR
from tests.api.openai import reference

# Whether these are sent changes nothing: a schema is enforced in any case, an item is a message, a call is
# one of a function and a tool is the client's own anyway.
_EITHER_WAY = {
    ("SchemaBody", "strict"),
    ("TextFormat", "strict"),
    ("MessageItem", "type"),
    ("CallBody", "type"),
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


def proofs() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Class, field and the tests of which one has to notice; a body cannot be without what is required."""
    rows = set()
    for name, body in reference.BODIES.items():
        for owner, field, path in reference.fields(body):
            told = owner.model_fields[_attribute(owner, field)]
            if told.is_required() or reference.is_taken(told) or (owner.__name__, field) in _EITHER_WAY:
                continue
            row = (owner.__name__, field, reference.proofs_of(name, path))
            if row not in rows:
                rows.add(row)
                yield row


def _attribute(owner: type[Strict], field: str) -> str:
    return next(name for name, told in owner.model_fields.items() if (told.alias or name) == field)


def notices(copy: Path, owner: str, field: str, proofs: tuple[str, ...]) -> bool:
    """Whether a test fails once the field is ignored."""
    original = (BASE_DIR / _BASE).read_text()
    (copy / _BASE).write_text(original + _FORGETTING.format(owner=owner, field=field))
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "-p",
            "no:cacheprovider",
            *(f"tests/{proof}" for proof in proofs),
        ],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if run.returncode > 1:
        raise RuntimeError(f"{proofs} did not run:\n{run.stdout[-2000:]}")
    return run.returncode == 1


def main(wanted: list[str]) -> int:
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "site"
        ignored = shutil.ignore_patterns(".*", "__pycache__", "node_modules")
        shutil.copytree(BASE_DIR, copy, ignore=ignored)
        for owner, field, tests in proofs():
            if wanted and field not in wanted and owner not in wanted:
                continue
            is_noticed = notices(copy, owner, field, tests)
            survivors += not is_noticed
            print(
                f"{'noticed ' if is_noticed else 'UNNOTICED'} {owner}.{field}  {', '.join(tests)}", flush=True
            )
    return survivors


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))
