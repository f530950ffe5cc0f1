"""The wheel of this project, built from its sdist, and an environment in another folder that has it."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
from pathlib import Path

from inference.core.config import BASE_DIR


def build_sdist(folder: Path) -> Path:
    return _build(BASE_DIR, "sdist", folder)


def build_wheel(sdist: Path, folder: Path) -> Path:
    """The wheel, built from what the sdist has alone."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder)  # noqa: S202 - we have just made it; Python 3.11.2 has no filter
    return _build(folder / sdist.name.removesuffix(".tar.gz"), "wheel", folder)


class InstalledProgram:
    """`mlxsite` in an environment of its own, with a home folder in which nothing is yet.

    It has the packages that the tests have, without this checkout.
    """

    def __init__(self, wheel: Path, folder: Path) -> None:
        environment = folder / "environment"
        venv.create(environment, symlinks=True, with_pip=False)
        self.python = environment / "bin" / "python"
        command = [sys.executable, "-m", "pip", "--python", str(self.python), "install", "--no-deps"]
        options = ["--quiet", "--no-index", "--no-compile", "--disable-pip-version-check"]
        subprocess.run([*command, *options, str(wheel)], check=True, timeout=120)
        self.packages = Path(next((environment / "lib").glob("python*"))) / "site-packages"
        # Python reads no .pth of a folder that a .pth names: neither that of this checkout.
        (self.packages / "of_the_tests.pth").write_text(sysconfig.get_path("purelib"))
        self.command = environment / "bin" / "mlxsite"
        self.home = folder / "home"
        self.home.mkdir()

    @property
    def env(self) -> dict[str, str]:
        """The environment of somebody who has set nothing, but that no model of this machine is listed."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MLX_SERVER_", "XDG_", "PYTHON", "DJANGO_"))
        }
        return kept | {
            "HOME": str(self.home),
            "MLX_SERVER_USE_HUB_CACHE": "false",
            "MLX_SERVER_CPU_CALIBRATION": "off",
        }

    def run(self, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        """Run the command from the home folder with these settings."""
        return subprocess.run(
            [self.command, *arguments],
            cwd=self.home,
            env=self.env | settings,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


def _build(source: Path, target: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=120)
    (found,) = folder.glob("*.whl" if target == "wheel" else "*.tar.gz")
    return found
