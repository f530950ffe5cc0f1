"""Texts and token ids, one or several: what completions continue and embeddings are made of."""

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from inference.api.http.strict_schema import either
from inference.core.requests import Prompt

Tokens = Annotated[list[Annotated[int, Field(ge=0, le=2**31 - 1)]], Field(min_length=1)]
Text = Annotated[str, Field(min_length=1)]
OnePrompt = Annotated[
    Annotated[Text, Tag("<text>")] | Annotated[Tokens, Tag("<tokens>")],
    either({"<text>": str, "<tokens>": list}, "a string or a list of token ids"),
]


def is_one(value: Any) -> bool:
    """Whether it is one prompt and no list of them: a list of ids is one prompt."""
    return not isinstance(value, list) or bool(value) and type(value[0]) is int


def listed(value: Any) -> tuple[Prompt, ...]:
    """One prompt or several, as they were checked."""
    several = [value] if is_one(value) else value
    return tuple(one if isinstance(one, str) else tuple(one) for one in several)


def _kind(value: Any) -> str | None:
    if isinstance(value, str):
        return "<text>"
    if not isinstance(value, list):
        return None
    return "<tokens>" if is_one(value) else "<list>"


# The branches of a union that has Text as <text>, Tokens as <tokens>, and a list of OnePrompt as <list>.
ONE_OR_SEVERAL = Discriminator(
    _kind,
    custom_error_type="wrong_type",
    custom_error_message="It must be a string, a list of token ids, or a list of these",
)
