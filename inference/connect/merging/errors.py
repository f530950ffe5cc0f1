"""Why settings cannot be put into a file."""


class Unmergeable(Exception):
    """Its text is the reason, as a sentence about the file without its name."""
