"""What every content block has."""

from typing import Any

from pydantic import Field

from inference.api.http.strict_schema import Part

CACHE_CONTROL = (
    "The prompt's caches are stored at its place for later requests. Most models need no such mark: any "
    "beginning of a stored prompt is used. Those with sliding windows or recurrent states need it."
)


class Block(Part):
    """A content block; `shown` is what the model reads of it."""

    type: str
    cache_control: Any = Field(None, description=CACHE_CONTROL)

    @property
    def shown(self) -> str:
        return ""
