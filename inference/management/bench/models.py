"""The model folders of a run: links to the given ones under new names, and conversions where needed.

On a CPU both servers use fp32 weights, because mlx_lm.server generates 0.2 tokens per second with quantised
ones; only the row `quantised` measures that. On a GPU the model is served unchanged.
"""

import json
import os
import subprocess
import sys
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from inference.core.blas import Blas
from inference.core.config import BASE_DIR
from inference.core.mlx_device import is_cpu


class Models:
    """The folders of one run, created when they are first used."""

    def __init__(
        self, scratch: Path, model: Path, second: Path | None, quantised: Path | None, blas: Blas
    ) -> None:
        self.folder = scratch / "models"
        self.folder.mkdir()
        self._given, self._second, self._quantised = model, second, quantised
        self._blas = blas

    @property
    def given(self) -> Path:
        """The model's folder as it was given."""
        return self._given

    @cached_property
    def first(self) -> Path:
        """The model that most rows use."""
        target = self.folder / self._given.name
        if is_quantised(self._given) and is_cpu():
            return self._convert(self._given, target, "--dequantize", "--dtype", "float32")
        return link(self._given, target)

    @cached_property
    def second(self) -> Path:
        """Another model; the first one under another name unless one was given."""
        return link(self._second or self.first, self.folder / f"{self._given.name}-second")

    def copies(self, count: int) -> list[Path]:
        """The first model under `count` different names."""
        return [link(self.first, self.folder / f"{self._given.name}-{place}") for place in range(count)]

    def quantised(self, dtype: str) -> Path:
        """The model in 4 bits with scales of this type, or the quantised model that was given."""
        target = self.folder / f"{self._given.name}-4bit-{dtype}"
        if self._quantised:
            return link(self._quantised, target)
        return self._convert(self.first, target, "--quantize", "--dtype", dtype)

    @property
    def has_quantised(self) -> bool:
        return self._quantised is not None

    def _convert(self, source: Path, target: Path, *options: str) -> Path:
        """Convert with mlx-lm in a process of its own; raises CalledProcessError."""
        print(f"Converting {source.name} ({options[0].removeprefix('--')}) ...", file=sys.stderr)
        paths = ["--hf-path", str(source), "--mlx-path", str(target)]
        subprocess.run(
            [*running("mlx_lm", self._blas), "convert", *paths, *options],
            cwd=BASE_DIR,
            env=dict(os.environ) | {"HF_HUB_OFFLINE": "1"},
            check=True,
            capture_output=True,
            timeout=600,
        )
        return target


def running(module: str, blas: Blas | None) -> list[str]:
    """The command that runs another program's module, with `blas` if there is one."""
    if blas is None or not blas.path:
        return [sys.executable, "-m", module]
    return [sys.executable, "-m", "inference.worker.with_blas", "--blas", blas.path, module]


def link(source: Path, target: Path) -> Path:
    """The same model under another name, without a second copy of its bytes."""
    target.mkdir()
    for file in (file for file in source.iterdir() if file.is_file()):
        original = file.resolve()
        with suppress(OSError):  # another file system: use a symbolic link
            os.link(original, target / file.name)
            continue
        (target / file.name).symlink_to(original)
    return target


def weight_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("model*.safetensors"))


def is_quantised(folder: Path) -> bool:
    return "quantization" in json.loads((folder / "config.json").read_text())
