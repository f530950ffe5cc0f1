"""The report in the folder of a model that was quantised here."""

from pathlib import Path

import msgspec

from inference.core.quantisation import REPORT_FILE, QuantisationReport

_MOST_BYTES = 2**16


def read_report(folder: Path) -> QuantisationReport | None:
    """The report of this model; None where it has none, or one that cannot be read."""
    path = folder / REPORT_FILE
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return None
        return msgspec.json.decode(path.read_bytes(), type=QuantisationReport)
    except (OSError, msgspec.DecodeError):
        return None


def write_report(folder: Path, report: QuantisationReport) -> None:
    (folder / REPORT_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1))
