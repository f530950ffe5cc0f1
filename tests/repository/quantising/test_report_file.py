from pathlib import Path

import pytest

from inference.core.quantisation import (
    REPORT_FILE,
    Perplexity,
    PerplexityComparison,
    QuantisationReport,
    QuantisationSettings,
)
from inference.repository.quantising.report_file import read_report, write_report

REPORT = QuantisationReport(
    source="tiny",
    settings=QuantisationSettings(recipe="mixed_4_6"),
    source_bytes=10,
    bytes=3,
    bits_per_weight=4.9,
    perplexity=PerplexityComparison(
        text="A book",
        tokens=511,
        window=512,
        before=Perplexity(value=9.5, error=0.1),
        after=Perplexity(value=9.9, error=0.1),
    ),
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_report(tmp_path, REPORT)
    assert read_report(tmp_path) == REPORT
    assert '"recipe": "mixed_4_6"' in (tmp_path / REPORT_FILE).read_text()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"source": 5}', '{"source": "a"}', " " * 2**17])
def test_what_is_no_report_is_none(tmp_path: Path, text: str) -> None:
    assert read_report(tmp_path) is None
    (tmp_path / REPORT_FILE).write_text(text)
    assert read_report(tmp_path) is None
