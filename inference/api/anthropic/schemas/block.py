"""What every content block has."""

from typing import Any

from pydantic import Field

from inference.api.http.strict_schema import Part

CACHE_CONTROL = (
    "Stores the prompt's caches at this position for later requests. Only models with sliding windows "
    "or recurrent states need this mark; other models reuse any beginning of a stored prompt."
)


class Block(Part):
    """A content block; `shown` is what the model reads of it."""

    type: str
    cache_control: Any = Field(None, description=CACHE_CONTROL)

    @property
    def shown(self) -> str:
        return ""
