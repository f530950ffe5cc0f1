"""The bodies of POST /tokenize and POST /detokenize, in vLLM's form.

Source: vLLM's vllm/entrypoints/serve/tokenize/protocol.py.
"""

from typing import Annotated, Self

from pydantic import Field, model_validator

from inference.api.http.strict_schema import Body, Refused, wrong
from inference.api.openai.schemas.messages import ChatMessage, Orphan, conversation
from inference.api.openai.schemas.thinking import TemplateOptions
from inference.api.openai.schemas.tools import ToolBodies, check_names, names_of
from inference.core.requests import ChatRequest, CompletionRequest, DetokenizeRequest, TokenizeRequest

ModelName = Annotated[str, Field(min_length=1, max_length=256)]
TokenId = Annotated[int, Field(ge=0, le=2**31 - 1)]
_MODEL = (
    "The model's id, or one of its aliases; the default is the only loaded model, or the only one that "
    "exists."
)
_STRINGS = "`true` also returns each token as a string of the vocabulary."


class TokenizeTextBody(Body):
    """The body of POST /tokenize with a text."""

    model: ModelName | None = Field(None, description=_MODEL)
    prompt: str = Field(description="The text.")
    add_special_tokens: bool | None = Field(
        None,
        description=(
            "`false` omits the special tokens that the tokenizer adds to a text; the default is `true`."
        ),
    )
    return_token_strs: bool | None = Field(None, description=_STRINGS)

    def request(self, model: str) -> TokenizeRequest:
        return TokenizeRequest(
            of=CompletionRequest(model=model, prompts=(self.prompt,)),
            adds_special=self.add_special_tokens is not False,
            with_pieces=bool(self.return_token_strs),
        )


class TokenizeChatBody(Body):
    """The body of POST /tokenize with a conversation."""

    refused = {
        "add_special_tokens": Refused("the chat template adds them.", (False,)),
        "chat_template": Refused("templates are code; only the model's own template is used."),
    }
    noted = {"mm_processor_kwargs": "pictures are prepared as the model requires."}

    model: ModelName | None = Field(None, description=_MODEL)
    messages: Annotated[list[ChatMessage], Field(min_length=1)] = Field(
        description="The same as in POST /v1/chat/completions."
    )
    add_generation_prompt: bool | None = Field(
        None, description="`false` omits the tokens that begin the answer; the default is `true`."
    )
    continue_final_message: bool | None = Field(
        None,
        description="`true` leaves the last message open; not together with `add_generation_prompt: true`.",
    )
    return_token_strs: bool | None = Field(None, description=_STRINGS)
    tools: ToolBodies | None = Field(None, description="Functions and custom tools that the model reads.")
    chat_template_kwargs: TemplateOptions | None = Field(None, description="Variables for the chat template.")

    @model_validator(mode="after")
    def _check_end(self) -> Self:
        if self.continue_final_message and self.add_generation_prompt:
            says = "It is only allowed together with add_generation_prompt: false"
            raise wrong("two_endings", says, "continue_final_message")
        return self

    @model_validator(mode="after")
    def _check_conversation(self) -> Self:
        check_names(names_of(self.tools or ()))
        try:
            conversation(self.messages)
        except Orphan as orphan:
            raise wrong("no_such_call", orphan.reason, orphan.field) from None
        return self

    def request(self, model: str) -> TokenizeRequest:
        options = {
            name: value for name, value in (self.chat_template_kwargs or {}).items() if value is not None
        }
        continues = bool(self.continue_final_message)
        chat = ChatRequest(
            model=model,
            messages=conversation(self.messages),
            tools=tuple(tool.tool() for tool in self.tools or ()),
            template_options=tuple(options.items()),
            opens_answer=self.add_generation_prompt is not False and not continues,
            continues=continues,
        )
        return TokenizeRequest(of=chat, with_pieces=bool(self.return_token_strs))


class DetokenizeTokensBody(Body):
    """The body of POST /detokenize."""

    model: ModelName | None = Field(None, description=_MODEL)
    tokens: list[TokenId] = Field(description="Token ids; unknown ids are refused.")

    def request(self, model: str) -> DetokenizeRequest:
        return DetokenizeRequest(model=model, tokens=tuple(self.tokens))
