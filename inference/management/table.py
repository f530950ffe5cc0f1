"""Tables for a terminal."""

from collections.abc import Iterator, Sequence


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """One line for each row, with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield printable(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


def printable(line: str) -> str:
    """The line without control characters: names of folders and keys could contain escape sequences."""
    return "".join(char if char.isprintable() else "?" for char in line)
