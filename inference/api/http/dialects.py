"""The addresses of the dialects that programs speak: all of them below one of these prefixes."""

PREFIXES = ("/v1/",)


def is_dialect(path: str) -> bool:
    """Whether a request to this path is one of a program's, and no page's."""
    return path.startswith(PREFIXES) or f"{path}/" in PREFIXES
