"""Image blocks: pictures of a user or in the result of a tool."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from inference.api.anthropic.schemas.block import Block
from inference.api.anthropic.schemas.unreadable import refusal_of_source
from inference.api.http.pictures import PictureBase64
from inference.api.http.strict_schema import Part
from inference.core.requests import Picture


class Base64Source(Part):
    """The picture itself."""

    type: Literal["base64"] = Field(description="`base64`; addresses and file ids are refused.")
    media_type: Literal["image/png", "image/jpeg", "image/webp", "image/gif"] = Field(
        description="`image/png`, `image/jpeg`, `image/webp` or `image/gif`; what counts is the data itself."
    )
    data: PictureBase64 = Field(description="The file as base64. Of a GIF, the first frame counts.")


def _refuse_other_sources(value: Any) -> Any:
    kind = value.get("type") if isinstance(value, dict) else None
    if isinstance(kind, str) and kind != "base64":
        raise refusal_of_source()
    return value


class ImageBlock(Block):
    noted = {"transformations": "pictures are made as small as the model needs them."}

    type: Literal["image"] = Field(description="`image`: a picture, for models that see.")
    source: Annotated[Base64Source, BeforeValidator(_refuse_other_sources)] = Field(
        description="Where the picture is: in the block itself."
    )

    @property
    def picture(self) -> Picture:
        made: Picture = self.source.data
        return made
