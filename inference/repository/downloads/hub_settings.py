"""The hub of this machine's settings: its address, its token, and whether it may be asked at all."""

import os

from huggingface_hub import get_token

from inference.repository.downloads.errors import HubUnavailable
from inference.repository.downloads.http import HubClient, address
from inference.repository.downloads.retry_policy import RetryPolicy

_HUB = "https://huggingface.co"


def connect(
    repo: str, retry_policy: RetryPolicy, *, purpose: str = "download", endpoint: str | None = None
) -> HubClient:
    """A client for `repo`, which is to be closed; `endpoint` is the hub's address, by default HF_ENDPOINT.

    Raises HubUnavailable where the hub may not be asked or its address is none, NotPermitted for a text that
    is no token.
    """
    if endpoint is None and is_offline():
        raise HubUnavailable(
            f"HF_HUB_OFFLINE is set, so the site does not contact the hub; unset it to {purpose}."
        )
    return HubClient(endpoint or _endpoint(), get_token(), repo, retry_policy)


def is_offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


def page_of(repo: str) -> str:
    """The address of a repository's page, for people; empty where HF_ENDPOINT is no address."""
    try:
        return f"{address(_endpoint()).copy_with(userinfo=b'')}/{repo}"
    except HubUnavailable:
        return ""


def _endpoint() -> str:
    return os.environ.get("HF_ENDPOINT") or _HUB
