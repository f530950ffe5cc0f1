"""The end of a worker, in words for the model's owner."""

import signal

from inference.core.errors import LoadFailure

_EXITS = {
    65: "it could not understand the site",
    70: "an internal error; the log has it",
    75: "a prompt took too long to prepare",
}
_SIGNALS: dict[int, str] = {
    signal.SIGKILL: " (often: the system ran out of memory)",
    signal.SIGABRT: " (it gave up inside a native library)",
    signal.SIGSEGV: " (it crashed inside a native library)",
    signal.SIGBUS: " (often: a model file shrank while it was in use)",
}


def from_status(code: int | None) -> str:
    """What a process's exit status tells; a signal's is negative, None is one that is not known."""
    if code is None:
        return "its process ended unexpectedly"
    if code < 0:
        return f"its process was killed by signal {-code}{_SIGNALS.get(-code, '')}"
    return f"its process ended with code {code}: {_EXITS.get(code, 'the log may say why')}"


def kind_of(code: int | None) -> LoadFailure:
    """What ended a load, if the process was not ended by us.

    The system ends who takes the last of its memory by SIGKILL: Linux by its OOM killer, macOS by jetsam.
    """
    return "out_of_memory" if code == -signal.SIGKILL else "died"


def from_silence(seconds: float, requests: int) -> str:
    """Why the watchdog ended a worker that had so many requests; none while it loads or idles."""
    if not requests:
        return f"it gave no sign of life for {seconds:g} s"
    ran = "1 request" if requests == 1 else f"{requests} requests"
    return f"it made no progress for {seconds:g} s while {ran} ran"
