"""OpenAI's predicted outputs: the text that an answer will be for the most part."""

from typing import Annotated, Literal

from pydantic import Field, Tag

from inference.api.http.strict_schema import Part, either


class PredictedText(Part):
    """A part of the predicted text."""

    type: Literal["text"] = Field(description="`text`.")
    text: str = Field(description="The text of the part.")


class Prediction(Part):
    """What the client expects as the answer."""

    type: Literal["content"] = Field(description="`content`.")
    content: Annotated[
        Annotated[str, Tag("<text>")] | Annotated[list[PredictedText], Tag("<list>")],
        either({"<text>": str, "<list>": list}, "a string or a list of parts"),
    ] = Field(description="A text, or a list of text parts.")

    @property
    def text(self) -> str:
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content)
