"""Log lines, as text or as JSON: each with the id of its request, none with a secret or a prompt.

Messages are written by the code and contain neither. The exceptions of other libraries may quote the value
that they failed on, which can be a part of a prompt: what they quote is left out, except in errors of the
system, which quote paths.
"""

import json
import logging
import re
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from inference.core import request_id

logger = logging.getLogger(__name__)
LogFormat = Literal["text", "json"]
_KEYS = re.compile(r"(mlx-[0-9a-f]{12})-[A-Za-z0-9_-]{20,}|(?i:(Bearer|Basic)\s+)[^\s'\"]+")
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {
    10: "\\n",
    13: "\\r",
    9: "\t",
}
_OURS = frozenset({"inference", "playground", "mlxsite"})
_SHORTEST_SECRET = 6  # a shorter one would be found in unrelated words
_HIDDEN = "[hidden]"
_UNFORMATTED = "stderr"  # the logger of what native libraries print


class _Lines(logging.Formatter):
    """What both formats share; `process` is the name of a process other than the site's."""

    def __init__(self, process: str = "", secrets: Sequence[str] = ()) -> None:
        super().__init__()
        self._process = process
        self._secrets = [secret for secret in secrets if len(secret) >= _SHORTEST_SECRET]

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        text = super().formatException(ei)
        for error in _chain(ei[1]):
            shown = str(error)
            if not isinstance(error, OSError) and _QUOTED.search(shown):
                text = text.replace(shown, _without_quotes(shown))
        return text

    def _message(self, record: logging.LogRecord) -> str:
        """The message; those of other libraries may quote an exception."""
        message = record.getMessage()
        return message if record.name.partition(".")[0] in _OURS else _without_quotes(message)

    def _origin(self, record: logging.LogRecord) -> tuple[str, str]:
        """The process and the request of a line; `relay` has put those of another process into the record."""
        process = getattr(record, "worker", self._process)
        return process, getattr(record, "request_id", "") or request_id.current()

    def _clean(self, text: str) -> str:
        """The text without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        return _KEYS.sub(_hide, text)


class TextLines(_Lines):
    """`TIME LEVEL NAME: MESSAGE [REQUEST ID]`, with a traceback below it where there is one."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        name, served = self._origin(record)
        process = f"{name} " if name else ""
        # A message is one line, so that nothing in it can pass for a line of its own.
        message = self._message(record).translate(_CONTROLS)
        line = f"{self.formatTime(record)} {record.levelname} {process}{record.name}: {message}"
        return f"{line} [{served}]" if served else line

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        return _indented(super().formatException(ei))

    def format(self, record: logging.LogRecord) -> str:
        return self._clean(super().format(record))


class JsonLines(_Lines):
    """One JSON object a line: time, level, logger, message, and request_id, process and exception if any.

    The fields in a record's attribute `fields` are added.
    """

    def format(self, record: logging.LogRecord) -> str:
        process, served = self._origin(record)
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self._message(record),
            "request_id": served,
            "process": process,
            "exception": self.formatException(record.exc_info)
            if record.exc_info
            else getattr(record, "traceback", ""),
        }
        kept = {name: value for name, value in line.items() if value} | getattr(record, "fields", {})
        cleaned = {
            name: self._clean(value) if isinstance(value, str) else value for name, value in kept.items()
        }
        text = json.dumps(cleaned, ensure_ascii=False, default=str)
        return text.encode(errors="backslashreplace").decode()  # unpaired surrogates


def formatter(form: LogFormat, process: str = "", secrets: Sequence[str] = ()) -> logging.Formatter:
    """The formatter of this format; `secrets` never appear in its lines."""
    return (JsonLines if form == "json" else TextLines)(process, secrets)


def of_site(form: LogFormat | None = None) -> logging.Formatter:
    """The formatter of the site's own process, for Django's setting LOGGING."""
    from inference.core.config import config  # workers have no settings

    settings = config()
    given = (settings.api_key, settings.admin_password, settings.logfire_token)
    return formatter(form or settings.log_format, secrets=[one.get_secret_value() for one in given if one])


def relay(line: str, process: str) -> None:
    """Log a line that another process of ours wrote as JSON; anything else loses its quotes."""
    try:
        fields = json.loads(line)
        level = logging.getLevelNamesMapping()[fields["level"]]
        name, message = str(fields["logger"]), str(fields.get("message", ""))
    except (ValueError, TypeError, KeyError):
        fields, level, name, message = {}, logging.WARNING, _UNFORMATTED, line
    target = logging.getLogger(name)
    if not message or not target.isEnabledFor(level):
        return
    record = target.makeRecord(name, level, "", 0, message, (), None)
    traceback = str(fields.get("exception", ""))
    origin = {"worker": process, "request_id": str(fields.get("request_id", "")), "traceback": traceback}
    vars(record).update(origin, exc_text=_indented(traceback) or None)
    target.handle(record)


def capture() -> None:
    """Log warnings and the end of a thread by an exception, which Python would print in its own form."""
    logging.captureWarnings(True)
    threading.excepthook = _log_thread


def _log_thread(failure: threading.ExceptHookArgs) -> None:
    name = failure.thread.name if failure.thread else "unknown"
    error = failure.exc_value or failure.exc_type()
    logger.error("The thread %s has ended with an exception", name, exc_info=error)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception, those that led to it, and those that are in its group."""
    found, seen = [error], set[int]()
    while found:
        one = found.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        found += [one.__cause__, one.__context__]
        found += one.exceptions if isinstance(one, BaseExceptionGroup) else ()


def _indented(traceback: str) -> str:
    lines = traceback.split("\n") if traceback else []
    return "\n".join(f"    {line.translate(_CONTROLS)}" for line in lines)


def _without_quotes(text: str) -> str:
    return _QUOTED.sub("'...'", text)


def _hide(found: re.Match[str]) -> str:
    return f"{found[1]}-{_HIDDEN}" if found[1] else f"{found[2]} {_HIDDEN}"
