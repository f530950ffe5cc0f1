"""The bodies of /v1/conversations."""

from typing import Annotated

from pydantic import Field

from inference.api.http.strict_schema import Body
from inference.api.openai.schemas.chat import Metadata
from inference.api.openai.schemas.input_items import Item

_MOST_ITEMS = 20  # OpenAI's limit for one request
_METADATA = "Up to 16 pairs of strings."


class ConversationBody(Body):
    """The body of POST /v1/conversations."""

    items: Annotated[list[Item], Field(max_length=_MOST_ITEMS)] | None = Field(
        None, description="Up to 20 items with which the conversation begins, as in `input`."
    )
    metadata: Metadata | None = Field(None, description=_METADATA)


class ConversationUpdate(Body):
    """The body of POST /v1/conversations/{conversation_id}."""

    metadata: Metadata | None = Field(
        description="Up to 16 pairs of strings, which replace the existing ones; `null` for none."
    )


class ItemsBody(Body):
    """The body of POST /v1/conversations/{conversation_id}/items."""

    items: Annotated[list[Item], Field(min_length=1, max_length=_MOST_ITEMS)] = Field(
        description="1 to 20 items, as in `input`."
    )
