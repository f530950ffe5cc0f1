"""Another program runs with our BLAS, its arguments and its exit status."""

import subprocess
import sys
from pathlib import Path

from inference.core.blas import best_blas

_PROGRAM = """
import sys
if __name__ == "__main__":
    maps = open("/proc/self/maps").read() if sys.platform == "linux" else ""
    print(*sys.argv[1:], sys.argv[0].endswith("other.py"), {path!r} in maps)
    sys.exit(3)
"""


def test_a_program_runs_with_our_blas_and_its_own_arguments(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text(_PROGRAM.format(path=best_blas().path))
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from inference.worker import with_blas; "
    command = [
        sys.executable,
        "-c",
        program + "with_blas.main()",
        "other",
        "serve",
        "--port",
        "7",
        "--blas",
        "x",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["serve", "--port", "7", "--blas", "x", "True", "True"]
    assert done.returncode == 3
