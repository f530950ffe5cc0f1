"""Units for people."""


def in_gb(amount: int) -> str:
    """Bytes for people: "0.6 GB"."""
    return f"{amount / 1e9:.1f} GB"


def in_gb_or_mb(amount: int) -> str:
    """The same, and below a gigabyte in megabytes: "83.4 MB"."""
    return in_gb(amount) if amount >= 10**9 else f"{amount / 1e6:.1f} MB"
