"""A marker whose beginning is at the end of a text, while the rest of it may still come."""


def partial_length(text: str, marker: str) -> int:
    """How many characters at the end of `text` could be the beginning of `marker`.

    These are held back until more text arrives. A complete marker does not count.
    """
    longest = min(len(text), len(marker) - 1)
    return next((n for n in range(longest, 0, -1) if marker.startswith(text[-n:])), 0)
