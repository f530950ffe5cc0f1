"""Image blocks: pictures of a user or in the result of a tool."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, WithJsonSchema

from inference.api.anthropic.schemas.block import Block
from inference.api.anthropic.schemas.unreadable import refusal_of_source
from inference.api.http.pictures import PictureAddress, PictureBase64, refused
from inference.api.http.strict_schema import Part
from inference.core.image_errors import UnsupportedImageType
from inference.core.picture_header import MEDIA_TYPES
from inference.core.requests import Picture

_OTHER_NAMES = ("image/jpg",)  # some clients write so


def _check_type(kind: str) -> str:
    """Refuse another type in words by which Claude Code takes the image out of the conversation."""
    if kind not in (*MEDIA_TYPES, *_OTHER_NAMES):
        raise refused(f"its type must be one of {', '.join(MEDIA_TYPES)}", UnsupportedImageType)
    return kind


MediaType = Annotated[
    str, AfterValidator(_check_type), WithJsonSchema({"type": "string", "enum": list(MEDIA_TYPES)})
]


class Base64Source(Part):
    """The picture itself."""

    type: Literal["base64"] = Field(description="`base64`: the picture itself; file ids are refused.")
    media_type: MediaType = Field(
        description=(
            "`image/png`, `image/jpeg`, `image/webp` or `image/gif`; the server detects the actual type "
            "from the data."
        )
    )
    data: PictureBase64 = Field(description="The file as base64; only the first frame of a GIF is used.")


class UrlSource(Part):
    """The picture's address."""

    type: Literal["url"] = Field(description="`url`: the server fetches the picture from an allowed host.")
    url: PictureAddress = Field(
        description="An http or https URL; `MLX_SERVER_PICTURE_HOSTS` must list its host."
    )

    @property
    def data(self) -> Picture:
        made: Picture = self.url
        return made


def _refuse_other_sources(value: Any) -> Any:
    kind = value.get("type") if isinstance(value, dict) else None
    if isinstance(kind, str) and kind not in ("base64", "url"):
        raise refusal_of_source()
    return value


class ImageBlock(Block):
    noted = {"transformations": "pictures are scaled to the size that the model needs."}

    type: Literal["image"] = Field(description="`image`: a picture, for vision models.")
    source: Annotated[
        Annotated[Base64Source | UrlSource, Discriminator("type")], BeforeValidator(_refuse_other_sources)
    ] = Field(description="The source of the picture: the block itself, or a URL.")

    @property
    def picture(self) -> Picture:
        made: Picture = self.source.data
        return made
