"""The content of items: texts, refusals and pictures."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, get_args

from pydantic import Discriminator, Field, Tag, model_validator

from inference.api.http.pictures import PictureUrl, content_of
from inference.api.http.strict_schema import Part, Refused, either, unless, wrong
from inference.api.openai.schemas.content_parts import DETAIL, NO_SOUND, Detail, looked_at
from inference.api.openai.schemas.object_types import kind_in
from inference.core.requests import Picture

ECHOED = "Part of output items, so clients send it back; the model does not read it."
_NO_FILES = "the server stores no files; send the picture as a data URL in image_url."
_OF_PICTURES = "it belongs in a part of type 'input_image'."


class ContentPart(Part):
    """A piece of a message: what was asked, or what was answered."""

    refused = {
        "image_url": Refused(_OF_PICTURES),
        "file_id": Refused(NO_SOUND),
        "file_data": Refused(NO_SOUND),
        "detail": Refused(_OF_PICTURES),
    }
    noted = {"prompt_cache_breakpoint": "prefixes of any length are cached."}

    type: Annotated[
        Literal["input_text", "output_text"],
        unless("input_file", "input_audio", why=NO_SOUND),
    ] = Field(description="`input_text`, or `output_text` from an earlier answer.")
    text: str = Field(description="The text.")
    annotations: list[Any] | None = Field(None, description=ECHOED)
    logprobs: list[Any] | None = Field(None, description=ECHOED)


class InputImage(Part):
    """A picture of a user or a tool."""

    refused = {"file_id": Refused(_NO_FILES)}
    noted = {"prompt_cache_breakpoint": "prefixes of any length are cached."}

    type: Literal["input_image"] = Field(description="`input_image`: a picture, for vision models.")
    image_url: PictureUrl = Field(
        description=(
            "A data URL with a PNG, JPEG, WebP or GIF (first frame): `data:image/png;base64,...`. Web URLs "
            "are refused. An object with `url` and `detail`, as in a chat, is accepted as well."
        )
    )
    detail: Detail | None = Field(None, description=DETAIL)

    @model_validator(mode="before")
    @classmethod
    def _read_as_in_a_chat(cls, data: Any) -> Any:
        inner = data.get("image_url") if isinstance(data, dict) else None
        if not isinstance(inner, dict) or not isinstance(inner.get("url"), str):
            return data
        detail = inner.get("detail")
        if inner.keys() - {"url", "detail"} or detail not in (None, *get_args(Detail)):
            return data
        if detail and data.get("detail") not in (None, detail):
            raise wrong("details_differ", "It differs from the detail of image_url", "detail")
        return data | {"image_url": inner["url"], "detail": data.get("detail") or detail}

    @property
    def text(self) -> str:
        return ""

    @property
    def picture(self) -> Picture:
        return looked_at(self.image_url, self.detail)


class RefusalPart(Part):
    """The refusal of another server's answer; the model reads it as its own text."""

    type: Literal["refusal"] = Field(description="`refusal`.")
    refusal: str = Field(description="The text.")

    @property
    def text(self) -> str:
        return self.refusal


def _part_tag(value: Any) -> str:
    kind = kind_in(value)
    return f"<{kind}>" if kind in ("refusal", "input_image") else "<part>"


def _result_tag(value: Any) -> str:
    return "<input_image>" if kind_in(value) == "input_image" else "<part>"


MessagePart = Annotated[
    Annotated[ContentPart, Tag("<part>")]
    | Annotated[InputImage, Tag("<input_image>")]
    | Annotated[RefusalPart, Tag("<refusal>")],
    Discriminator(_part_tag),
]
ResultPart = Annotated[
    Annotated[ContentPart, Tag("<part>")] | Annotated[InputImage, Tag("<input_image>")],
    Discriminator(_result_tag),
]
TextOrParts = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[list[MessagePart], Field(max_length=1024), Tag("<list>")],
    either({"<text>": str, "<list>": list}, "a string or a list of parts"),
]
Result = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[list[ResultPart], Field(max_length=1024), Tag("<list>")],
    either({"<text>": str, "<list>": list}, "a string or a list of parts"),
]


def text_of(content: str | Sequence[ContentPart | InputImage | RefusalPart]) -> str:
    return content if isinstance(content, str) else "".join(part.text for part in content)


def read(
    content: str | Sequence[ContentPart | InputImage | RefusalPart],
) -> tuple[str, tuple[Picture, ...]]:
    """The text with a mark for each picture, and the pictures."""
    if isinstance(content, str):
        return content, ()
    return content_of(part.picture if isinstance(part, InputImage) else part.text for part in content)
