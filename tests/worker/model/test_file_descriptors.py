"""mlx-lm can be imported whatever the hard limit of open files is."""

import subprocess
import sys

import pytest

from inference.core.config import BASE_DIR

pytestmark = pytest.mark.mlx
IMPORT = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
from inference.worker.model import file_descriptors
file_descriptors.keep_hard_limit()
file_descriptors.keep_hard_limit()
# As mlx_lm.utils does when it is imported; as root it may, so what is left of it is looked at.
resource.setrlimit(resource.RLIMIT_NOFILE, (2048, 4096))
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def limits_after_import(soft: int, hard: int) -> tuple[int, int]:
    code = IMPORT.format(soft=soft, hard=hard)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60, cwd=BASE_DIR
    )
    first, second = done.stdout.split()
    return int(first), int(second)


@pytest.mark.parametrize(
    ("soft", "hard", "soft_after"),
    [(256, 512, 512), (1024, 1024, 1024), (1024, 2048, 2048), (1024, 4095, 2048), (3000, 4000, 3000)],
)
def test_the_hard_limit_stays_and_the_soft_one_is_raised_within_it(
    soft: int, hard: int, soft_after: int
) -> None:
    assert limits_after_import(soft, hard) == (soft_after, hard)


@pytest.mark.skipif(sys.platform != "linux", reason="how root gives up its right is Linux's")
def test_mlx_lm_can_be_imported_by_a_user_who_may_not_raise_the_limit() -> None:
    importing = (
        "from inference.worker.model.file_descriptors import keep_hard_limit;"
        "keep_hard_limit(); import mlx_lm.utils"
    )
    # Root may raise it: dropping CAP_SYS_RESOURCE (24) from the bounding set makes it as anybody else.
    run = (
        "import ctypes, os, resource, sys; ctypes.CDLL(None).prctl(24, 24, 0, 0, 0);"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024));"
        f"os.execv(sys.executable, [sys.executable, '-c', {importing!r}])"
    )
    done = subprocess.run(
        [sys.executable, "-c", run], capture_output=True, text=True, timeout=120, cwd=BASE_DIR
    )
    assert done.returncode == 0, done.stderr
