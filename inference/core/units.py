"""Units for people."""


def in_gb(amount: int) -> str:
    """Bytes for people: "0.6 GB"."""
    return f"{amount / 1e9:.1f} GB"
