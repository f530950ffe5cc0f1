"""Whether a browser's request was made by a page of this very site, or by one that the operator allows."""

from collections.abc import Collection


def is_own(origin: str, *, scheme: str, host: str) -> bool:
    """Compare the whole origin: cookies ignore ports, so the web app one port away is foreign."""
    return origin.lower() == f"{scheme}://{host}".lower()


def is_allowed(origin: str, allowed: Collection[str]) -> bool:
    """Whether it is one of MLX_SERVER_ALLOWED_ORIGINS, or has one of the schemes there."""
    text = origin.lower()
    return text in allowed or f"{text.partition('://')[0]}://" in allowed


def refusal(origin: str) -> str:
    """Why a request of another page is refused, and the way out."""
    shown = "".join(char for char in origin[:100] if char.isprintable() and char.isascii())
    return (
        f"This request comes from a page of another site ({shown or 'no origin'}); the operator of this "
        "server can add it to MLX_SERVER_ALLOWED_ORIGINS."
    )
