"""Settings that are secrets, as the values of variables or in files."""


def check_secret(given: str) -> None:
    """Raise ValueError for what nobody could type as a password or send as a key."""
    if not given or given != given.strip() or not given.isprintable():
        raise ValueError("it is empty, has blanks around it, or a character that cannot be typed")
