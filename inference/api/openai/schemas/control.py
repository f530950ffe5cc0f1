"""The body of POST /v1/chat/completions/control."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from inference.api.http.strict_schema import Body


class ControlBody(Body):
    """The body of POST /v1/chat/completions/control."""

    noted: ClassVar[Mapping[str, str]] = {"model": "the id identifies the answer."}

    id: Annotated[str, Field(min_length=1, max_length=256)] = Field(
        description=(
            "The id of an answer in progress: `chatcmpl-…`, `resp_…` or `msg_…`, as in the first event of "
            "the stream."
        )
    )
    action: Literal["reasoning_end"] = Field(
        description="`reasoning_end` ends the reasoning now, and the answer begins."
    )
