"""What keeps a database from being moved."""


class MoveError(Exception):
    """Nothing was moved; the message says why and what to do."""
