"""The content of a chat's messages: texts and pictures."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from inference.api.http.pictures import PictureUrl, content_of, seen
from inference.api.http.strict_schema import Part, Refused, either, unless
from inference.api.openai.schemas.object_types import kind_in
from inference.core.requests import Picture

NO_SOUND = "models read text, and some of them pictures."
DETAIL = "The resolution: `low` scales the picture down; `high`, `original` and `auto` keep it large."
Detail = Literal["auto", "low", "high", "original"]
TextKind = Literal["text", "refusal", "input_text", "output_text"]
_OF_PICTURES = "it belongs in a part of type 'image_url'."


def looked_at(picture: Picture, detail: Detail | None) -> Picture:
    """The picture with OpenAI's level of detail."""
    return seen(picture, "high" if detail == "original" else detail)


class TextPart(Part):
    """A text in a message's content."""

    refused = {
        "image_url": Refused(_OF_PICTURES),
        "input_audio": Refused(NO_SOUND),
        "file": Refused(NO_SOUND),
    }
    noted = {"prompt_cache_breakpoint": "prefixes of any length are cached."}
    aliases = {"refusal": "text"}

    type: Annotated[TextKind, unless("input_audio", "file", why=NO_SOUND)] = Field(
        description=(
            "`text`, or `refusal` from an earlier answer, which the model reads as text. The names of "
            "`/v1/responses`, `input_text` and `output_text`, mean the same."
        )
    )
    text: str = Field(description="The text.")


class ImageUrl(Part):
    url: PictureUrl = Field(
        description=(
            "A data URL with a PNG, JPEG, WebP or GIF (first frame): `data:image/png;base64,...`. Web URLs "
            "are refused."
        )
    )
    detail: Detail | None = Field(None, description=DETAIL)


AnyImageUrl = Annotated[
    Annotated[ImageUrl, Tag("<object>")] | Annotated[PictureUrl, Tag("<text>")],
    either(
        {"<object>": (dict, ImageUrl), "<text>": (str, Picture)}, "an object with a url, or the url itself"
    ),
]


class ImagePart(Part):
    """A picture in a message's content."""

    type: Literal["image_url"] = Field(description="`image_url`: a picture from a user or a tool.")
    image_url: AnyImageUrl = Field(
        description="The picture, as an object or as its URL; for vision models (`modalities` of GET "
        "/v1/models)."
    )

    @property
    def text(self) -> str:
        return ""

    @property
    def picture(self) -> Picture:
        if isinstance(self.image_url, ImageUrl):
            return looked_at(self.image_url.url, self.image_url.detail)
        return looked_at(self.image_url, None)


def _tag(value: Any) -> str:
    return "<image part>" if kind_in(value) == "image_url" else "<text part>"


ContentPart = Annotated[
    Annotated[TextPart, Tag("<text part>")] | Annotated[ImagePart, Tag("<image part>")], Discriminator(_tag)
]
Content = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[list[ContentPart], Tag("<list>")],
    either({"<text>": str, "<list>": list}, "a string or a list of parts"),
]


def text_of(content: str | Sequence[TextPart | ImagePart] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(part.text for part in content)


def read(content: str | Sequence[TextPart | ImagePart] | None) -> tuple[str, tuple[Picture, ...]]:
    """The text with a mark for each picture, and the pictures."""
    if content is None or isinstance(content, str):
        return content or "", ()
    return content_of(part.picture if isinstance(part, ImagePart) else part.text for part in content)


def place_of_picture(content: object) -> int | None:
    """Where in a list of parts the first picture is."""
    parts = content if isinstance(content, list) else []
    return next((place for place, part in enumerate(parts) if isinstance(part, ImagePart)), None)
