"""Which tokens end an answer: the union of what a model's files, its family and its chat template say."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from inference.adapters.model_facts import ModelFacts
from inference.adapters.tokenizer import Tokenizer


def find_stop_ids(
    facts: ModelFacts, tokenizer: Tokenizer, family: Sequence[str], template_ends: Iterable[str]
) -> frozenset[int]:
    """Token ids that end an answer.

    The files of one model contradict each other, and generation_config.json, which mlx-lm reads, often
    lacks the end of a turn (https://github.com/ml-explore/mlx-examples/issues/694,
    https://github.com/vllm-project/vllm/issues/4180). So this is the union of

    1. `eos_token_id` in config.json, in its `text_config` and in generation_config.json,
    2. the tokenizer's own end-of-text token,
    3. the stop tokens of the `family` that the vocabulary has,
    4. the added token with which each text of `template_ends` begins: what the chat template writes
       after an assistant turn.

    Ids that are not in the vocabulary are left out.
    """
    text_config = facts.config.get("text_config")
    found = {
        *_ids(facts.config.get("eos_token_id")),
        *_ids(text_config.get("eos_token_id") if isinstance(text_config, Mapping) else None),
        *_ids(facts.generation_config.get("eos_token_id")),
        *_ids(tokenizer.eos_id),
        *ids_of(tokenizer, family),
        *(token for text in template_ends for token in _first_added_token(tokenizer, text)),
    }
    return frozenset(token for token in found if 0 <= token < tokenizer.size)


def ids_of(tokenizer: Tokenizer, tokens: Iterable[str]) -> frozenset[int]:
    """The ids of those of these tokens that the vocabulary has."""
    ids = (tokenizer.id_of(token) for token in tokens)
    return frozenset(token for token in ids if token is not None)


def _first_added_token(tokenizer: Tokenizer, text: str) -> list[int]:
    first = tokenizer.encode(text.lstrip())[:1]
    return [token for token in first if token in tokenizer.added_ids]


def _ids(value: Any) -> list[int]:
    if type(value) is int:
        return [value]
    return [item for item in value if type(item) is int] if isinstance(value, list | tuple) else []
