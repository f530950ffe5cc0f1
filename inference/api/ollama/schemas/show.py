"""The body of POST /api/show."""

from pydantic import Field

from inference.api.http.strict_schema import Body
from inference.api.ollama.schemas.answering import MODEL, ModelName

_OWN = "the model's own values are returned."


class ShowBody(Body):
    """The body of POST /api/show."""

    noted = {"options": _OWN, "system": _OWN, "template": _OWN, "verbose": "longer answers are not left out."}
    aliases = {"name": "model"}

    model: ModelName = Field(description=MODEL)
