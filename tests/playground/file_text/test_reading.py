"""Files of any kind are read in a process with limits, and none can hold up or fill the site."""

import sys

import pytest

from playground.file_text import process, reading
from playground.file_text.limits import NoText
from tests.each import each
from tests.playground.file_text import files


def test_files_of_each_kind() -> None:
    assert reading.read("Grüße".encode("latin-1")) == "Grüße"
    assert reading.read(files.pdf("A page")) == "A page"
    assert reading.read(files.docx(files.paragraph("A paragraph"))) == "A paragraph"


@each(
    ("content", "reason"),
    [
        (b"x" * 1_000_001, "1,000,000 characters"),
        (files.pdf(""), "no text"),
        (files.pdf("x")[:150], "damaged"),
        ("\ufeff\n ".encode(), "empty"),
    ],
)
def test_what_has_no_text_is_named(content: bytes, reason: str) -> None:
    with pytest.raises(NoText, match=reason):
        reading.read(content)


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import time; time.sleep(60)", "too long"),
        ("import sys; sys.exit(1)", "damaged"),
        ("print('no json')", "damaged"),
    ],
)
def test_a_reader_that_fails_is_named(program: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_S", 2.0)
    monkeypatch.setattr(reading, "COMMAND", [sys.executable, "-c", program])
    with pytest.raises(NoText, match=reason):
        reading.read(files.pdf("x"))


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no limit of address space")
def test_a_reader_that_fills_the_memory_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    program = (
        "import sys; from playground.file_text import process\n"
        "process.READERS['pdf'] = lambda content: 'x' * (2 * process.MAX_MEMORY)\n"
        "sys.argv[1:] = ['pdf']; process.main()"
    )
    monkeypatch.setattr(reading, "COMMAND", [sys.executable, "-c", program])
    with pytest.raises(NoText) as problem:
        reading.read(files.pdf("x"))
    assert str(problem.value) == process.TOO_MUCH_MEMORY
