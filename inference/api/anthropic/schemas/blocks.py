"""The content blocks of a message, as Anthropic's clients send them.

Source: https://docs.anthropic.com/en/api/messages and the parameter types of the `anthropic` package.
"""

import json
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from inference.api.anthropic.schemas.block import Block
from inference.api.anthropic.schemas.images import ImageBlock
from inference.api.anthropic.schemas.unreadable import refusal_of_file, refusal_of_media
from inference.api.anthropic.signature import reasoning_in
from inference.api.http.pictures import content_of
from inference.api.http.strict_schema import Part, Refused, either, unsupported_type
from inference.core.requests import Picture, ToolCall

_NO_CITATIONS = Refused("citations are not supported.", ({"enabled": False}, {}))
ToolUseId = Annotated[str, Field(min_length=1, max_length=256)]
ToolName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,128}$")]


class TextBlock(Block):
    noted = {"citations": "the model reads only the text."}

    type: Literal["text"] = Field(description="`text`.")
    text: str = Field(description="The text.")

    @property
    def shown(self) -> str:
        return self.text


class PlainSource(Part):
    """The text of a document, as it is."""

    type: Literal["text"] = Field(description="`text`; PDF files, URLs and file ids are refused.")
    media_type: Literal["text/plain"] | None = Field(None, description="`text/plain`.")
    data: str = Field(description="The text.")

    @property
    def shown(self) -> str:
        return self.data


TextOrBlocks = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[list[TextBlock], Tag("<list>")],
    either({"<text>": str, "<list>": list}, "a string or a list of text blocks"),
]


class BlockSource(Part):
    """The text of a document, in blocks."""

    type: Literal["content"] = Field(description="`content`.")
    content: TextOrBlocks = Field(description="A string, or text blocks.")

    @property
    def shown(self) -> str:
        return text_of(self.content)


def _kind_of(value: Any) -> Any:
    return value.get("type") if isinstance(value, dict) else None


def _by_kind(value: Any) -> str | None:
    kind = _kind_of(value)
    return f"<{kind}>" if isinstance(kind, str) else None


def _refuse_other_sources(value: Any) -> Any:
    kind = _kind_of(value)
    if isinstance(kind, str) and kind not in ("text", "content"):
        raise refusal_of_file()
    return value


Source = Annotated[
    Annotated[PlainSource, Tag("<text>")] | Annotated[BlockSource, Tag("<content>")],
    Discriminator(
        _by_kind,
        custom_error_type="wrong_type",
        custom_error_message="It must be an object with the type 'text' or 'content'",
    ),
    BeforeValidator(_refuse_other_sources),
]


class DocumentBlock(Block):
    refused = {"citations": _NO_CITATIONS}

    type: Literal["document"] = Field(description="`document`: a plain text that the model reads.")
    source: Source = Field(description="The source of the text: the block itself.")
    title: str | None = Field(None, description="The document's title; the model reads it.")
    context: str | None = Field(None, description="Context of the document; the model reads it.")

    @property
    def shown(self) -> str:
        return "\n".join(text for text in (self.title, self.context, self.source.shown) if text)


class SearchResultBlock(Block):
    refused = {"citations": _NO_CITATIONS}

    type: Literal["search_result"] = Field(description="`search_result`.")
    title: str = Field(description="The result's title; the model reads it.")
    source: str = Field(description="The source of the result; the model reads it.")
    content: list[TextBlock] = Field(description="The content of the result.")

    @property
    def shown(self) -> str:
        return "\n".join((self.title, self.source, text_of(self.content)))


class ToolReferenceBlock(Block):
    type: Literal["tool_reference"] = Field(description="`tool_reference`: a tool found by a search.")
    tool_name: str = Field(description="The tool's name; the model reads it.")

    @property
    def shown(self) -> str:
        return self.tool_name


class ThinkingBlock(Block):
    type: Literal["thinking"] = Field(
        description="`thinking`: the reasoning of an earlier answer, sent back."
    )
    thinking: str = Field(description="The reasoning; the chat template keeps or drops it.")
    signature: str | None = Field(
        None,
        description="Restores the reasoning of a block without text; other signatures are ignored.",
    )

    @property
    def reasoning(self) -> str:
        return self.thinking or reasoning_in(self.signature or "")


class ToolUseBlock(Block):
    """A call that an earlier answer made."""

    noted = {
        "caller": "only the model calls tools.",
        "toolset_name": "the model identifies tools by name.",
    }

    type: Literal["tool_use"] = Field(description="`tool_use`: a call from an earlier answer, sent back.")
    id: ToolUseId = Field(description="The call's id, which its result repeats.")
    name: Annotated[str, Field(min_length=1, max_length=200)] = Field(description="The tool's name.")
    input: dict[str, Any] = Field(description="The arguments, as an object.")

    @property
    def call(self) -> ToolCall:
        return ToolCall(id=self.id, name=self.name, arguments=json.dumps(self.input, ensure_ascii=False))


_LEFT_OUT = frozenset(
    {
        "container_upload",
        "fallback",
        "mcp_tool_listing",
        "mcp_tool_use",
        "redacted_thinking",
        "server_tool_use",
        "tool_addition",
        "tool_removal",
    }
)


class LeftOutBlock(Block):
    """What Anthropic's own servers did or hold: the model here cannot read it."""

    type: str = Field(
        pattern=rf"^({'|'.join(sorted(_LEFT_OUT))}|\w+_tool_result)$",
        description=(
            "`redacted_thinking`, and blocks of Anthropic's server tools, such as `server_tool_use` and "
            "`web_search_tool_result`: omitted from the prompt, and listed in the header `x-mlx-omitted`."
        ),
    )

    @classmethod
    def _is_listed(cls, name: str) -> bool:
        return False


class CompactionBlock(Block):
    noted = {"encrypted_content": "only Anthropic's servers can read it."}

    type: Literal["compaction"] = Field(description="`compaction`: a summary of the items before it.")
    content: str | None = Field(None, description="The summary; the model reads it.")

    @property
    def shown(self) -> str:
        return self.content or ""


def is_left_out(kind: str) -> bool:
    """Whether a block of this type is Anthropic's servers' own."""
    return kind in _LEFT_OUT or kind.endswith("_tool_result")


def _branch(value: Any) -> str | None:
    kind = _kind_of(value)
    if not isinstance(kind, str):
        return None
    return "<left out>" if is_left_out(kind) else f"<{kind}>"


def _refuse_others(*kinds: str) -> BeforeValidator:
    """Refuse blocks that the model cannot read, with the way out, and unknown ones by their type."""

    def check(value: Any) -> Any:
        kind = _kind_of(value)
        if not isinstance(kind, str) or kind in kinds or ("text" in kinds and is_left_out(kind)):
            return value
        raise refusal_of_media(kind) or unsupported_type(kind, f"the types are {', '.join(kinds)}.")

    return BeforeValidator(check)


def _typed(wanted: str) -> Discriminator:
    return Discriminator(
        _branch,
        custom_error_type="wrong_type",
        custom_error_message=f"It must be {wanted} with a type",
    )


ResultPart = Annotated[
    Annotated[TextBlock, Tag("<text>")]
    | Annotated[ImageBlock, Tag("<image>")]
    | Annotated[DocumentBlock, Tag("<document>")]
    | Annotated[SearchResultBlock, Tag("<search_result>")]
    | Annotated[ToolReferenceBlock, Tag("<tool_reference>")]
    | Annotated[LeftOutBlock, Tag("<left out>")],
    _typed("a content block"),
    _refuse_others("text", "image", "document", "search_result", "tool_reference"),
]
ResultContent = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[list[ResultPart], Tag("<list>")],
    either({"<text>": str, "<list>": list}, "a string or a list of content blocks"),
]
_ERROR_MARKS = ("error", "<error", "<tool_use_error")


class ToolResultBlock(Block):
    """What a called tool gave back."""

    noted = {"toolset_name": "the model identifies tools by name."}

    type: Literal["tool_result"] = Field(description="`tool_result`: the result of a tool.")
    tool_use_id: ToolUseId = Field(description="The id of the call that it answers, from an earlier message.")
    content: ResultContent | None = Field(
        None, description="A string, or blocks of the types `text`, `image`, `document` and `search_result`."
    )
    is_error: bool | None = Field(
        None,
        description="`true` puts `Error: ` before the result, unless it already says so.",
    )

    def read(self) -> tuple[str, tuple[Picture, ...]]:
        """What the model reads: a text with a mark for each picture, and the pictures."""
        text, pictures = read(self.content)
        is_marked = text.lstrip().lower().startswith(_ERROR_MARKS)
        return f"Error: {text}" if self.is_error and not is_marked else text, pictures


ContentBlock = Annotated[
    Annotated[TextBlock, Tag("<text>")]
    | Annotated[ImageBlock, Tag("<image>")]
    | Annotated[ThinkingBlock, Tag("<thinking>")]
    | Annotated[ToolUseBlock, Tag("<tool_use>")]
    | Annotated[ToolResultBlock, Tag("<tool_result>")]
    | Annotated[DocumentBlock, Tag("<document>")]
    | Annotated[SearchResultBlock, Tag("<search_result>")]
    | Annotated[CompactionBlock, Tag("<compaction>")]
    | Annotated[LeftOutBlock, Tag("<left out>")],
    _typed("a content block"),
    _refuse_others(
        *("text", "image", "thinking", "tool_use", "tool_result", "document", "search_result"), "compaction"
    ),
]


def text_of(content: "str | list[Any] | None") -> str:
    """The text of blocks: each is a paragraph."""
    if content is None or isinstance(content, str):
        return content or ""
    return "\n\n".join(shown for block in content if (shown := block.shown))


def read(content: "str | list[Any] | None") -> tuple[str, tuple[Picture, ...]]:
    """The text of blocks with a mark for each picture, and the pictures."""
    if content is None or isinstance(content, str):
        return content or "", ()
    parts = (block.picture if isinstance(block, ImageBlock) else block.shown for block in content)
    return content_of((part for part in parts if part), between_texts="\n\n")
