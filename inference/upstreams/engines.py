"""The fields that each engine is known to follow, beyond those that all of them do.

All take messages, tools, stop, stream, temperature, top_p and max_tokens. A field that is not listed would
be ignored there without a word, or refused, so it is refused here by its name. Those of mlx_lm.server and of
this program are tested against them; the others are as their makers document them.
"""

from collections.abc import Mapping
from typing import Final

from inference.core.upstream import Engine

_OPENAI: Final = frozenset(
    {
        *("seed", "presence_penalty", "frequency_penalty", "logit_bias", "logprobs", "n"),
        *("response_format", "tool_choice", "tool_choice.function", "parallel_tool_calls"),
        *("reasoning_effort", "suffix", "prompt_list", "prompt_tokens"),
    }
)
_SAMPLING: Final = frozenset({"top_k", "min_p", "repetition_penalty"})
_SERVERS: Final = frozenset(
    {"chat_template_kwargs", "ignore_eos", "min_tokens", "stop_token_ids", "continue_final_message"}
)
_XTC_AND_DRY: Final = frozenset({"xtc_probability", "dry_multiplier", "repetition_window"})

FOLLOWED: Mapping[Engine, frozenset[str]] = {
    "openai": _OPENAI,
    "vllm": (_OPENAI | _SAMPLING | _SERVERS | {"allowed_token_ids", "bad_words", "structured_outputs"})
    - {"suffix"},
    "sglang": (_OPENAI | _SAMPLING | _SERVERS) - {"suffix"},
    "llama.cpp": (
        (_OPENAI | _SAMPLING | _XTC_AND_DRY | {"chat_template_kwargs", "ignore_eos"})
        - {"n", "suffix", "tool_choice.function", "reasoning_effort"}
    ),
    "ollama": frozenset(
        {"seed", "presence_penalty", "frequency_penalty", "response_format", "reasoning_effort", "suffix"}
    ),
    "lm-studio": (_OPENAI | {"top_k", "repetition_penalty"})
    - {"n", "logprobs", "suffix", "tool_choice.function", "parallel_tool_calls"}
    - {"prompt_list", "prompt_tokens", "reasoning_effort"},
    "mlx-lm": _SAMPLING
    | {"seed", "presence_penalty", "frequency_penalty", "logit_bias", "logprobs", "chat_template_kwargs"}
    | {"xtc_probability", "repetition_window"},
    "mlxsite": _OPENAI
    | _SAMPLING
    | _SERVERS
    | _XTC_AND_DRY
    | {"allowed_token_ids", "bad_words", "structured_outputs", "thinking_budget"},
}
# What an engine calls a field; it has this site's name where none is given.
RENAMED: Mapping[Engine, Mapping[str, str]] = {
    "llama.cpp": {"repetition_penalty": "repeat_penalty", "repetition_window": "repeat_last_n"},
    "lm-studio": {"repetition_penalty": "repeat_penalty"},
    "mlx-lm": {"repetition_window": "repetition_context_size"},
}
# Those that end an answer early where no limit is given: mlx_lm.server after 512 tokens.
NEED_A_LIMIT: frozenset[Engine] = frozenset({"mlx-lm"})
# Those that take an assistant's earlier reasoning back.
TAKE_REASONING: frozenset[Engine] = frozenset({"vllm", "sglang", "llama.cpp", "mlxsite"})
# The field that keeps the cached prefixes of different users apart.
OWNER_FIELDS: Mapping[Engine, str] = {"vllm": "cache_salt", "mlxsite": "user"}
