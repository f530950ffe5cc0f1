import json
import logging
import threading
from contextvars import copy_context
from logging.handlers import BufferingHandler
from typing import Any

import pytest

from inference.core import request_id
from inference.core.log_lines import LogFormat, capture, formatter, relay
from tests.each import each

KEY = "mlx-0123456789ab-" + "s" * 43
FORMATS: tuple[LogFormat, ...] = ("text", "json")


def record(message: str, *args: Any, error: BaseException | None = None, **fields: Any) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("inference.x", logging.WARNING, "x.py", 1, message, args, info)
    made.__dict__.update(fields)
    return made


def lines_of(form: LogFormat, one: logging.LogRecord, served: str = "", **options: Any) -> str:
    def write() -> str:
        if served:
            request_id.begin(served)
        return formatter(form, **options).format(one)

    return copy_context().run(write)


def raised(error: Exception, cause: Exception | None = None) -> Exception:
    try:
        raise error from cause
    except Exception as caught:
        return caught


def test_text_has_the_time_the_level_the_name_and_the_request() -> None:
    line = lines_of("text", record("Loaded %s", "tiny"), "trace-1")
    assert line.endswith(" WARNING inference.x: Loaded tiny [trace-1]") and line[:4].isdigit()
    assert lines_of("text", record("Loaded"), process="worker[7]").endswith(" worker[7] inference.x: Loaded")


def test_json_is_one_object_a_line() -> None:
    error = raised(RuntimeError("broken"))
    line = lines_of("json", record("Two\nlines", error=error, fields={"status": 200}), "trace-1")
    read = json.loads(line)
    assert "\n" not in line
    assert (read["level"], read["logger"], read["message"]) == ("WARNING", "inference.x", "Two\nlines")
    assert (read["request_id"], read["status"]) == ("trace-1", 200)
    assert "RuntimeError: broken" in read["exception"] and read["time"].endswith("+00:00")


def test_what_is_not_known_is_left_out_of_json() -> None:
    assert set(json.loads(lines_of("json", record("x")))) == {"time", "level", "logger", "message"}


@each("message", ["a\n2026-01-01 00:00:00 ERROR forged: line", "a\rb", "a\x1b[2Jb", "a\x9bb"])
def test_a_message_cannot_pass_for_another_line(message: str) -> None:
    line = lines_of("text", record("%s", message))
    assert line.isprintable()


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "message",
    [
        f"Bad key {KEY}",
        f"Authorization: Bearer {'z' * 20}",
        "authorization: basic enp6enp6enp6eno=",
        "sesame!",
    ],
)
def test_no_secret_is_in_a_line(form: LogFormat, message: str) -> None:
    error = raised(ValueError(message))
    line = lines_of(form, record("%s", message, error=error), secrets=("sesame!",))
    assert "[hidden]" in line
    assert not [part for part in ("sssss", "zzzzz", "enp6", "sesame") if part in line]


def test_the_beginning_of_a_key_stays_as_lists_show_it() -> None:
    assert "mlx-0123456789ab-[hidden]" in lines_of("text", record(KEY))


def test_a_secret_that_is_a_part_of_words_is_no_pattern() -> None:
    assert "a table" in lines_of("text", record("a table"), secrets=("a",))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "error",
    [
        KeyError("my prompt"),
        ValueError("invalid literal for int() with base 10: 'my prompt'"),
        ValueError('input_value="it\'s my prompt", input_type=str'),
        ValueError("'my\nprompt' is wrong, and so is 'my prompt'"),
    ],
)
def test_what_an_exception_quotes_is_left_out(form: LogFormat, error: Exception) -> None:
    chained = raised(RuntimeError("answering failed"), raised(error))
    line = lines_of(form, record("Broken", error=chained))
    assert "prompt" not in line
    assert "answering failed" in line and type(error).__name__ in line


def test_errors_of_the_system_keep_their_paths() -> None:
    error = raised(FileNotFoundError(2, "No such file", "/models/tiny"))
    assert "/models/tiny" in lines_of("text", record("Broken", error=error))


def test_the_process_takes_its_format_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    from inference.core import config, log_lines

    given = config.Config(log_format="json", api_key="sesame!")
    monkeypatch.setattr(config, "config", lambda: given)
    line = log_lines.of_site().format(record("the key is sesame!"))
    assert json.loads(line)["message"] == "the key is [hidden]"
    assert log_lines.of_site("text").format(record("so")).endswith(": so")


def test_a_traceback_cannot_pass_for_another_line() -> None:
    error = raised(RuntimeError("a\n2026-01-01 00:00:00 ERROR forged: line\x1b[2J"))
    first, *others = lines_of("text", record("Broken", error=error)).split("\n")
    assert all(line.startswith("    ") and line.isprintable() for line in others)


def test_the_exceptions_of_a_group_are_looked_at_too() -> None:
    group = ExceptionGroup(
        "several", [KeyError("my prompt"), ExceptionGroup("more", [ValueError("'my prompt'")])]
    )
    line = lines_of("text", record("Broken", error=raised(group)))
    assert "my prompt" not in line and "several" in line


@pytest.mark.parametrize("form", FORMATS)
def test_what_other_libraries_quote_in_messages_is_left_out(form: LogFormat) -> None:
    one = record("Task exception: %r", ValueError("it's 'my prompt'"))
    one.name = "asyncio"
    assert "my prompt" not in lines_of(form, one) and "ValueError" in lines_of(form, one)


def test_an_unpaired_surrogate_is_valid_json() -> None:
    line = lines_of("json", record("a\ud800b"))
    assert json.loads(line)["message"] == "a\ud800b" and line.encode()


def test_warnings_and_ends_of_threads_are_lines(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise RuntimeError("broken")

    before = threading.excepthook
    try:
        capture()
        thread = threading.Thread(target=fail, name="x")
        thread.start()
        thread.join()
    finally:
        threading.excepthook = before
        logging.captureWarnings(False)
    assert "The thread x has ended with an exception" in caplog.text


def relayed(line: str) -> list[logging.LogRecord]:
    """The records that a line of a worker becomes."""
    handler = BufferingHandler(capacity=100)
    logging.getLogger().addHandler(handler)
    try:
        relay(line, "worker[7]")
    finally:
        logging.getLogger().removeHandler(handler)
    return list(handler.buffer)


def test_a_line_of_a_worker_is_logged_by_the_site_as_if_it_were_its_own() -> None:
    worker = formatter("json").format(record("it is late", error=raised(ValueError("about 'a prompt'"))))
    (made,) = relayed(worker)
    text = formatter("text").format(made)
    assert text.splitlines()[0].endswith(" WARNING worker[7] inference.x: it is late")
    assert text.splitlines()[1].startswith("    Traceback") and "a prompt" not in text
    line = json.loads(formatter("json").format(made))
    assert (line["process"], line["message"]) == ("worker[7]", "it is late")
    assert line["exception"].startswith("Traceback")


def test_what_a_native_library_prints_is_a_warning_without_what_it_quotes() -> None:
    (made,) = relayed("libc++abi: terminating due to 'a prompt'")
    assert made.levelname == "WARNING"
    assert formatter("text").format(made).endswith("worker[7] stderr: libc++abi: terminating due to '...'")


@each("line", ["", "{}", "[1]", '{"level": "LOUD", "logger": "a", "message": "b"}'])
def test_lines_of_another_form_are_kept_as_they_are(line: str) -> None:
    assert [made.getMessage() for made in relayed(line)] == [line] * bool(line)
