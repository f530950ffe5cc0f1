"""Checks of a request's prompts against the loaded model, before the engine sees them."""

import math
from collections.abc import Iterable, Iterator

from inference.core.errors import ContextLengthExceeded, InvalidValue
from inference.core.requests import ChatRequest, CompletionRequest, GenerationRequest
from inference.worker.model.loaded_model import LoadedModel

MAX_TOKENS_RETURNED = 1_000_000  # tokens or log probabilities in one answer: more are many megabytes


class PromptChecks:
    """Each check raises a ServerError that names the field at fault."""

    def __init__(self, model: LoadedModel) -> None:
        self._model = model

    def check_size(self, request: GenerationRequest) -> None:
        """Raise ContextLengthExceeded if the text has too many bytes for the context."""
        # Tokenizing megabytes takes many seconds, while all other prompts wait.
        at_least = _bytes_of(request) // self._model.tokenizer.longest_bytes
        context = self._model.context_length
        if at_least > context * (1 if isinstance(request, ChatRequest) else len(request.prompts)):
            raise too_long_error(request, f"at least {at_least}", (at_least, context))

    def check_vocabulary(self, request: GenerationRequest, prompt: list[int]) -> None:
        """Raise InvalidValue for a token id that the model does not have."""
        # MLX does not check bounds: an id beyond the embedding reads foreign memory or ends the process.
        unknown = next((token for token in prompt if not 0 <= token < self._model.vocab_size), None)
        if unknown is None:
            return
        is_given = isinstance(request, CompletionRequest) and not isinstance(request.prompts[0], str)
        raise InvalidValue(
            f"This model has no token {unknown}; its ids end at {self._model.vocab_size - 1}."
            if is_given
            else "The prompt has a token that the model does not know: its tokenizer has more tokens.",
            param=prompt_field(request),
        )

    def check_known(self, tokens: Iterable[int], field: str) -> None:
        """Raise InvalidValue, naming `field`, for a token id that the model does not have."""
        for token in tokens:
            if not 0 <= token < self._model.vocab_size:
                raise InvalidValue(
                    f"This model has no token {token}; its ids end at {self._model.vocab_size - 1}.",
                    param=field,
                )

    def check_bias(self, request: GenerationRequest) -> None:
        """Raise InvalidValue for an unknown token, or a logit bias without a finite value."""
        # As above: MLX would write to an id beyond the logits, which has ended processes.
        self.check_known((token for token, _ in request.sampling.logit_bias), "logit_bias")
        self.check_known(request.rules.banned_ids, "logit_bias")
        self.check_known(request.rules.stop_ids, "stop_token_ids")
        self.check_known(request.rules.allowed_ids, "allowed_token_ids")
        for _, bias in request.sampling.logit_bias:
            if not math.isfinite(bias):
                raise InvalidValue("A bias must be a finite number.", param="logit_bias")


def has_scored_echo(request: GenerationRequest) -> bool:
    """Whether the echo of the prompt has log probabilities."""
    return isinstance(request, CompletionRequest) and request.echo and request.logprobs is not None


def is_scored(request: GenerationRequest) -> bool:
    """Whether the request wants the log probabilities of its prompt's tokens."""
    return request.prompt_logprobs is not None or has_scored_echo(request)


def check_scores(request: GenerationRequest, prompt_tokens: int) -> None:
    """Raise InvalidValue if the prompt or its echo has too many log probabilities."""
    total = prompt_tokens * (1 + (request.prompt_logprobs or 0)) * request.n
    if request.prompt_logprobs is not None and total > MAX_TOKENS_RETURNED:
        raise InvalidValue(
            f"This prompt has {total} log probabilities; at most {MAX_TOKENS_RETURNED} are returned at once. "
            "Ask for fewer, a smaller n or a shorter prompt.",
            param="prompt_logprobs",
        )
    total = prompt_tokens * (1 + (request.logprobs or 0)) * request.n
    if has_scored_echo(request) and total > MAX_TOKENS_RETURNED:
        raise InvalidValue(
            f"The echo of this prompt has {total} log probabilities; at most {MAX_TOKENS_RETURNED} are "
            "returned at once. Ask for fewer logprobs, a smaller n or a shorter prompt.",
            param="logprobs",
        )


def _bytes_of(request: GenerationRequest) -> int:
    if isinstance(request, ChatRequest):
        return sum(len(text.encode()) for text in _texts_of(request))
    prompts = (*request.prompts, request.suffix or "")
    return sum(len(prompt.encode()) if isinstance(prompt, str) else len(prompt) for prompt in prompts)


def _texts_of(request: ChatRequest) -> Iterator[str]:
    for message in request.messages:
        yield from (message.content, message.reasoning, *(call.arguments for call in message.tool_calls))
    for tool in request.tools:
        yield from (tool.description, tool.parameters)


def prompt_field(request: GenerationRequest) -> str:
    """The field that the prompt comes from."""
    return "messages" if isinstance(request, ChatRequest) else "prompt"


def too_long_error(
    request: GenerationRequest, tokens: str, lengths: tuple[int, int]
) -> ContextLengthExceeded:
    """The refusal of a prompt that does not fit.

    Clients that compact a conversation recognise it by its text: LiteLLM by the first sentence
    (`exception_mapping_utils.py`), LangChain by "prompt is too long" (`_handle_openai_bad_request`).
    """
    return ContextLengthExceeded(
        f"This model's maximum context length is {lengths[1]} tokens. However, the prompt is too long: "
        f"it has {tokens} tokens. Shorten it.",
        param=prompt_field(request),
        lengths=lengths,
    )
