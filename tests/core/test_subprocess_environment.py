"""What a worker receives of the environment of its site: what it needs, and no secret."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from inference.core.config import BASE_DIR
from inference.core.subprocess_environment import for_our_modules, of_helpers, of_workers
from tests.each import each

SECRETS = [
    *("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"),
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AZURE_CLIENT_SECRET"),
    *("GOOGLE_APPLICATION_CREDENTIALS", "GITHUB_TOKEN", "GH_TOKEN", "SSH_AUTH_SOCK", "GPG_AGENT_INFO"),
    *("DATABASE_URL", "PGPASSWORD", "MYSQL_PWD", "DJANGO_SECRET_KEY", "SENTRY_DSN", "NETRC"),
    *("HTTP_PROXY", "https_proxy", "PIP_INDEX_URL", "UV_INDEX_PASSWORD", "LOGFIRE_TOKEN", "WANDB_API_KEY"),
    *("MLX_SERVER_API_KEY", "MLX_SERVER_LOGFIRE_TOKEN", "MLX_SERVER_DATA_DIR", "mlx_server_api_key"),
    # Names that begin as harmless ones do.
    *("MLX_API_KEY", "MLX_KEY", "MLX_TOKEN", "CUDA_AUTH", "NVIDIA_API_KEY", "PYTHONANYWHERE_API_TOKEN"),
    *("MKL_PASSWORD", "LD_SDK_KEY", "LD_API_KEY", "LC_SECRET", "PYTHONPASSWORD", "PYTHON_KEYRING_BACKEND"),
    *("MALLOC_SECRET", "OMP_CREDENTIALS", "METAL_COOKIE", "XDG_SESSION_COOKIE"),
]
NEEDED = [
    *("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "XDG_CACHE_HOME", "HF_HOME"),
    *("DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "LD_LIBRARY_PATH", "LD_PRELOAD"),
    *("CUDA_VISIBLE_DEVICES", "CUDA_HOME", "CUDA_CACHE_PATH", "NVIDIA_VISIBLE_DEVICES", "NCCL_DEBUG"),
    *("MLX_DISABLE_COMPILE", "MLX_MAX_OPS_PER_BUFFER", "METAL_DEVICE_WRAPPER_TYPE", "MTL_DEBUG_LAYER"),
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE", "MKL_NUM_THREADS"),
    *("VECLIB_MAXIMUM_THREADS", "MALLOC_ARENA_MAX", "MallocNanoZone", "CC", "SDKROOT"),
    *("PYTHONHOME", "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE", "PYTHON_GIL", "VIRTUAL_ENV"),
]


@each("name", SECRETS)
def test_no_secret_is_handed_on(name: str) -> None:
    assert "sesame" not in of_workers({name: "sesame", "PATH": "/bin"}).values()


@each("name", NEEDED)
def test_what_a_worker_needs_is_handed_on(name: str) -> None:
    assert of_workers({name: "as it is"})[name] == "as it is"


def test_a_download_process_has_all_but_the_sites_own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", "HTTPS_PROXY", "MLX_SERVER_ADMIN_PASSWORD", "mlx_server_api_key"):
        monkeypatch.setenv(name, name)
    made = of_helpers()
    assert made["HF_TOKEN"] == "HF_TOKEN" and made["HTTPS_PROXY"] == "HTTPS_PROXY"
    assert not any(name.upper().startswith("MLX_SERVER_") for name in made)


def test_the_network_is_not_looked_at_whatever_was_set() -> None:
    made = of_workers({"HF_HUB_OFFLINE": "0", "TRANSFORMERS_OFFLINE": "0"})
    assert made["HF_HUB_OFFLINE"] == made["TRANSFORMERS_OFFLINE"] == "1"


def test_python_looks_for_our_modules_first_and_not_in_the_current_folder() -> None:
    made = for_our_modules({"PYTHONPATH": os.pathsep.join(["/mine", str(BASE_DIR), ""])})
    assert made == {"PYTHONPATH": os.pathsep.join([str(BASE_DIR), "/mine"]), "PYTHONSAFEPATH": "1"}


@pytest.mark.parametrize(
    "module", ["inference.worker", "inference.worker.conversion", "inference.repository.downloads.process"]
)
def test_a_process_starts_from_any_folder_whatever_lies_there(tmp_path: Path, module: str) -> None:
    for name in ("json", "socket", "inference", "mlx"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a file of the current folder was imported')")
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"],
        cwd=tmp_path,
        env=of_workers(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
