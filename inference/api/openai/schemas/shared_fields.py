"""Fields that several bodies have with one meaning, each described once."""

from typing import Annotated

from pydantic import Field

from inference.api.http.strict_schema import wrong
from inference.api.openai.schemas.generation import Label, TokenLimit

AnswerLimit = Annotated[
    TokenLimit,
    Field(
        description=(
            "The maximum number of tokens in the answer, at least 1; the default is the rest of the context."
        )
    ),
]
Asker = Annotated[
    Label | None, Field(description="The id of the end user: recorded with the request's span.")
]
SafetyIdentifier = Annotated[Label | None, Field(description="The newer name of `user`.")]
PromptCacheKey = Annotated[
    Label | None, Field(description="Cached prefixes are shared only between requests with the same value.")
]
FormName = Annotated[str, Field(max_length=256)]  # classes of other languages have brackets in theirs
SchemaStrictness = Annotated[
    bool | None,
    Field(
        description=(
            "`true` refuses a schema that cannot be enforced completely. Otherwise, only the enforceable "
            "keywords are enforced, and the header `x-mlx-best-effort` lists the field."
        )
    ),
]


def check_users(user: str | None, safety_identifier: str | None) -> None:
    """Raise if the two names of the end user differ."""
    if None not in (user, safety_identifier) and user != safety_identifier:
        raise wrong("users_differ", "It differs from user, its older name", "safety_identifier")
