"""The hub's search: models by words, the most downloaded, best liked or newest first."""

from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from inference.repository.discovery.hub_model import HubModel
from inference.repository.discovery.remote_model import POLICY
from inference.repository.downloads import hub_settings
from inference.repository.downloads.errors import HubUnavailable, NotOnHub, NotPermitted
from inference.repository.downloads.http import HubClient
from inference.repository.downloads.hub_names import id_in
from inference.repository.downloads.transient_error import TransientError

LONGEST_QUERY = 200
MOST = 100
_FIELDS = (
    *("cardData", "config", "downloads", "gated", "lastModified", "library_name", "likes", "pipeline_tag"),
    *("safetensors", "tags"),
)


class SearchOrder(StrEnum):
    DOWNLOADS = "downloads"
    LIKES = "likes"
    DATE = "lastModified"


class Format(StrEnum):
    """The hub's tags of models that can be served; those of MLX are safetensors, too."""

    MLX = "mlx"
    SAFETENSORS = "safetensors"


def search(
    words: str,
    *,
    order: SearchOrder = SearchOrder.DOWNLOADS,
    format: Format = Format.MLX,
    most: int = 20,
    endpoint: str | None = None,
) -> list[HubModel]:
    """Up to `most` models whose names have these words; raises HubUnavailable or NotPermitted.

    The hub is asked once, for at most ten seconds: somebody waits for it.
    """
    most = min(most, MOST)
    query: list[tuple[str, str]] = [("search", words[:LONGEST_QUERY]), ("filter", format), ("sort", order)]
    query += [("limit", str(most)), *(("expand", field) for field in _FIELDS)]
    with hub_settings.connect("models", POLICY, purpose="search it", endpoint=endpoint) as client:
        answer = _ask(client, urlencode(query))
    if not isinstance(answer, list):
        raise HubUnavailable("The hub's search result is not valid; try again later.")
    found = [model for entry in answer[:most] if (model := HubModel.of(entry))]
    return [model for model in found if id_in(model.id)]


def _ask(client: HubClient, query: str) -> Any:
    try:
        return client.json("/api/models", query, what="answer to a search")
    except TransientError as error:
        raise type(error.then)(f"{error} Search again later.") from None
    except NotOnHub:
        raise HubUnavailable("The server at this URL is not a Hugging Face hub; check HF_ENDPOINT.") from None
    except NotPermitted:
        raise NotPermitted(
            "The hub does not accept this server's token. Correct HF_TOKEN, or sign in again with "
            "`hf auth login`."
        ) from None
