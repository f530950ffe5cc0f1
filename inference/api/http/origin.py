"""Whether a browser's request was made by a page of this very site."""


def is_own(origin: str, *, scheme: str, host: str) -> bool:
    """Compare the whole origin: cookies ignore ports, so the web app one port away is foreign."""
    return origin.lower() == f"{scheme}://{host}".lower()
