"""Why a worker ended, as a text for the model's owner."""

import signal

from inference.core.errors import LoadFailure
from inference.core.pool_state import DeathReason

NOT_STARTED = "its process could not be started"
BROKEN_PROTOCOL = "its process sent an invalid message"
_EXITS = {
    65: "it received an invalid message from the site",
    70: "an internal error; the log has it",
    75: "a prompt took too long to prepare",
    77: "its results differ from those of the other ranks",
}
_DEATHS: dict[int, DeathReason] = {
    65: "protocol",
    70: "internal_error",
    75: "prompt_timeout",
    77: "internal_error",
}
_SIGNALS: dict[int, str] = {
    signal.SIGKILL: " (often: the system ran out of memory)",
    signal.SIGABRT: " (it aborted inside a native library)",
    signal.SIGSEGV: " (it crashed inside a native library)",
    signal.SIGBUS: " (often: a model file shrank while it was in use)",
}


def from_exit_code(code: int | None, process: str = "its process") -> str:
    """The reason behind a process's exit status: negative for a signal, None where it is not known."""
    if code is None:
        return f"{process} ended unexpectedly"
    if code < 0:
        return f"{process} was killed by signal {-code}{_SIGNALS.get(-code, '')}"
    return f"{process} ended with code {code}: {_EXITS.get(code, 'the log may say why')}"


def death_reason(code: int | None) -> DeathReason:
    """The kind of a process's end, from its exit status."""
    if code is None:
        return "unknown"
    if code < 0:
        return "killed" if code == -signal.SIGKILL else "crashed"
    return _DEATHS.get(code, "exited")


def load_failure_kind(code: int | None) -> LoadFailure:
    """The kind of a failed load, if the process was not ended by the site.

    The system sends SIGKILL when memory runs out: Linux by its OOM killer, macOS by jetsam.
    """
    return "out_of_memory" if code == -signal.SIGKILL else "died"


def from_silence(seconds: float, requests: int) -> str:
    """Why the watchdog ended a worker with `requests` requests; 0 while it loads or idles."""
    if not requests:
        return f"it did not respond for {seconds:g} s"
    ran = "1 request" if requests == 1 else f"{requests} requests"
    return f"it made no progress for {seconds:g} s while {ran} ran"
