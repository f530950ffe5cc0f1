"""The texts of a logit bias as token ids."""

from collections.abc import Callable

from msgspec import structs

from inference.core.errors import InvalidValue
from inference.core.requests import GenerationRequest


def with_ids(request: GenerationRequest, encode: Callable[[str], list[int]]) -> GenerationRequest:
    """The request with each text of its logit bias replaced by all of its tokens, as llama.cpp does.

    `encode` adds no special tokens. Raises InvalidValue for a text that has no tokens.
    """
    sampling, rules = request.sampling, request.rules
    if not (sampling.text_bias or rules.banned_texts):
        return request

    def tokens_of(text: str) -> list[int]:
        if tokens := encode(text):
            return tokens
        raise InvalidValue(f"This model has no tokens for the text {text[:40]!r}.", param="logit_bias")

    biases = [(token, bias) for text, bias in sampling.text_bias for token in tokens_of(text)]
    banned = [token for text in rules.banned_texts for token in tokens_of(text)]
    return structs.replace(
        request,
        sampling=structs.replace(sampling, logit_bias=(*sampling.logit_bias, *biases), text_bias=()),
        rules=structs.replace(rules, banned_ids=(*rules.banned_ids, *banned), banned_texts=()),
    )
