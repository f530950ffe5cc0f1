"""A download in a process of its own, which can be paused, killed or given a full disk."""

import resource
import subprocess
import sys

from tests.repository.fetching import Fetch

PROGRAM = """
import resource, sys
from pathlib import Path
from inference.repository.downloads.errors import FetchFailed
from inference.repository.downloads.hub import download

endpoint, target, share, most = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))

def on_progress(progress):
    if progress.done >= share * progress.size:
        print("here", flush=True)
        sys.stdin.readline()

try:
    download("org/tiny", target, on_progress, endpoint=endpoint)
except FetchFailed as error:
    print(type(error).__name__, error)
"""


def start(
    fetched: Fetch, *, pause_at: float = 2.0, most: int = resource.RLIM_INFINITY
) -> "subprocess.Popen[str]":
    arguments = [fetched.hub.endpoint, str(fetched.models / "tiny"), str(pause_at), str(most)]
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
