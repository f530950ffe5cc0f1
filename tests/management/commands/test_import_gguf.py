"""`manage.py import_gguf` as a process of its own, and what Ctrl-C leaves of it."""

import os
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from typing import Any

import psutil
from django.core.management import call_command

from inference.repository.files.staging import draft_of
from tests.e2e.site import ROOT
from tests.gguf_files import tiny_weights, write_gguf
from tests.nightly import nightly
from tests.repository.files.test_gguf import gguf


def is_converting(pid: int, draft: Path) -> bool:
    children = psutil.Process(pid).children()
    return draft.exists() and any("inference.worker.conversion" in child.cmdline() for child in children)


@nightly
def test_ctrl_c_ends_it_with_a_message_and_leaves_nothing(tmp_path: Path) -> None:
    source = write_gguf(tmp_path / "x.gguf", tiny_weights(tmp_path / "t"))
    models = tmp_path / "models"
    models.mkdir()
    env = os.environ | {"MLX_SERVER_MODELS_DIR": str(models), "MLX_SERVER_DATA_DIR": str(tmp_path / "data")}
    process = subprocess.Popen(
        [sys.executable, "manage.py", "import_gguf", str(source)],
        cwd=ROOT,
        env=env,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell's background job is born deaf to Ctrl-C, and so are its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with process:
        end = time.monotonic() + 60
        while not is_converting(process.pid, draft_of(models / "x")):
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the conversion as well
        _, errors = process.communicate()
    assert (process.returncode, errors) == (1, "CommandError: Stopped; no files were left behind.\n")
    assert list(models.iterdir()) == []


def test_without_a_file_it_lists_those_of_the_folder(tmp_path: Path, settings: Any) -> None:
    settings.CONFIG = settings.CONFIG.model_copy(update={"gguf_dir": tmp_path})
    assert listed() == [f"There are no GGUF files in {tmp_path}."]
    (tmp_path / "x.gguf").write_bytes(gguf(data=100))
    (tmp_path / "broken.gguf").write_bytes(b"GGUF")
    heading, broken, sound = listed()
    assert heading.split() == ["FILE", "SIZE", "ARCHITECTURE", "WEIGHTS"]
    assert sound.split()[0] == "x.gguf" and "llama" in sound and broken.startswith("broken.gguf")


def listed() -> list[str]:
    out = StringIO()
    call_command("import_gguf", stdout=out)
    return out.getvalue().splitlines()
