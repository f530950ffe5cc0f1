"""What a model reads of a file of any kind: its text, or the picture that it is."""

import json
import subprocess
import sys

from django.conf import settings

from inference.core.requests import Picture
from inference.core.subprocess_environment import of_workers
from inference.core.threads import Threads
from inference.core.units import in_gb_or_mb
from playground.file_text import encodings
from playground.file_text.kinds import Kind, kind_of
from playground.file_text.limits import MAX_CHARACTERS, TOO_LONG, NoText
from playground.file_text.picture import picture_of

MAX_S = 40.0
READING = Threads("files-text", 2)  # each waits for a process
COMMAND = [sys.executable, "-m", "playground.file_text.process"]
_DAMAGED = "It cannot be read; it may be damaged, or too large when unpacked."


def read(content: bytes) -> str | Picture:
    """The text of the file, or the picture that it is, on a thread that may wait; raises NoText."""
    kind = kind_of(content)
    if kind == "picture":
        return picture_of(content)
    most = settings.CONFIG.max_body_bytes
    if len(content) > most:
        raise NoText(f"It is larger than {in_gb_or_mb(most)}, the largest file that can be attached.")
    return _text_of(kind, content)


def _text_of(kind: Kind, content: bytes) -> str:
    text = encodings.decode(content)[0] if kind == "text" else _extracted(kind, content)
    if not text.strip():
        raise NoText("It is empty.")
    if len(text) > MAX_CHARACTERS:
        raise NoText(TOO_LONG)
    return text.encode(errors="replace").decode()


def _extracted(kind: Kind, content: bytes) -> str:
    """The text by a process with limits of time and memory."""
    try:
        done = subprocess.run(
            [*COMMAND, kind], env=of_workers(), input=content, capture_output=True, timeout=MAX_S, check=True
        )
        found = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise NoText("Reading it takes too long.") from None
    except (subprocess.CalledProcessError, ValueError, OSError):
        raise NoText(_DAMAGED) from None
    if "problem" in found:
        raise NoText(found["problem"])
    return str(found["text"])
