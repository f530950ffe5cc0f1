"""Fields that several bodies have with one meaning, each described once."""

from typing import Annotated

from pydantic import Field

from inference.api.http.strict_schema import wrong
from inference.api.openai.schemas.generation import Label, TokenLimit

AnswerLimit = Annotated[
    TokenLimit,
    Field(description="A ceiling, 1 and up; without it the answer may use what the context leaves."),
]
Asker = Annotated[Label | None, Field(description="An id of the end user: recorded with the request's span.")]
SafetyIdentifier = Annotated[Label | None, Field(description="The newer name of `user`.")]
PromptCacheKey = Annotated[
    Label | None, Field(description="Prefixes are shared only between requests with the same key.")
]
FormName = Annotated[str, Field(max_length=256)]  # classes of other languages have brackets in theirs
SchemaStrictness = Annotated[
    bool | None,
    Field(
        description="`true` has a schema refused that cannot be enforced as a whole; else what cannot be is "
        "left out of it, and the header `x-mlx-best-effort` names the field. The rest is enforced either way."
    ),
]


def check_users(user: str | None, safety_identifier: str | None) -> None:
    """Raise if the two names of the end user differ."""
    if None not in (user, safety_identifier) and user != safety_identifier:
        raise wrong("users_differ", "It differs from user, its older name", "safety_identifier")
