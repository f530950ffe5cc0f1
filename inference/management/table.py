"""Rows under their headings, as a terminal shows them."""

from collections.abc import Iterator, Sequence


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """One line for each row, its cells below those of the row before."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield printable(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


def printable(line: str) -> str:
    """Folders and keys may be named anything, also what a terminal takes for orders."""
    return "".join(char if char.isprintable() else "?" for char in line)
