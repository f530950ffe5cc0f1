"""Fields of other servers and clients, which people's programs send whichever server they are pointed at.

Sources: llama.cpp's tools/server/README.md, vLLM's protocol classes, Ollama's docs/api.md and mlx-lm's
SERVER.md, SGLang's docs/basic_usage/sampling_params.md, Mistral's API reference and LM Studio's docs.
"""

from collections.abc import Mapping

from inference.api.http.strict_schema import Refused

_MEMORY = "the server manages memory and threads."
_ORDER = "requests are served in order of arrival."
_SPEED = "it only changes the speed of an answer."
_NO_SUCH_SAMPLER = "this sampler is not supported."

_HAS_FORM_FIELDS = "send `structured_outputs`, or a `response_format` of this type."

NOTED: Mapping[str, str] = {
    "backend_sampling": _SPEED,
    "cache_prompt": "prefixes are always cached.",
    "client_metadata": "it describes the client.",
    "ctx_len": _MEMORY,
    "draft_model": _SPEED,
    "dynatemp_exponent": "it belongs to `dynatemp_range`.",
    "f16_kv": _MEMORY,
    "id_slot": _ORDER,
    "keep_alive": _MEMORY,
    "low_vram": _MEMORY,
    "main_gpu": _MEMORY,
    "mirostat_eta": "it belongs to `mirostat`.",
    "mirostat_tau": "it belongs to `mirostat`.",
    "n_keep": "the context is never shortened.",
    "num_batch": _MEMORY,
    "num_ctx": _MEMORY,
    "num_draft_tokens": _SPEED,
    "num_gpu": _MEMORY,
    "num_keep": "the context is never shortened.",
    "num_thread": _MEMORY,
    "numa": _MEMORY,
    "prediction": _SPEED,
    "priority": _ORDER,
    "prompt_cache_options": "prefixes are cached as long as memory allows.",
    "prompt_cache_retention": "prefixes are cached as long as memory allows.",
    "reasoning_control": "every answer supports /v1/chat/completions/control.",
    "rid": "the server generates its own request ids.",
    "request_id": "the server generates its own request ids.",
    "service_tier": "there is only one tier.",
    "slot_id": _ORDER,
    "spaces_between_special_tokens": "special tokens are never part of the text.",
    "tool_stream": "tool calls are always streamed.",
    "ttl": _MEMORY,
    "use_mlock": _MEMORY,
    "use_mmap": _MEMORY,
}
REFUSED: Mapping[str, Refused] = {
    "adapters": Refused("use `model:adapter` in `model`."),
    "do_sample": Refused("send `temperature` 0 for greedy decoding.", (True,)),
    "documents": Refused("put them into a message.", ([],)),
    "dynatemp_range": Refused(_NO_SUCH_SAMPLER, (0,)),
    "ebnf": Refused(_HAS_FORM_FIELDS),
    "enable_search": Refused("web search is not supported.", (False,)),
    "include_stop_str_in_output": Refused("text ends before the stop string.", (False,)),
    "length_penalty": Refused("beam search is not supported.", (1,)),
    "lora": Refused("use `model:adapter` in `model`.", ([],)),
    "lora_path": Refused("use `model:adapter` in `model`."),
    "mirostat": Refused(_NO_SUCH_SAMPLER, (0,)),
    "no_stop_trim": Refused("text ends before the stop string.", (False,)),
    "num_beams": Refused("beam search is not supported.", (1,)),
    "parse_tool_calls": Refused("tool calls are always parsed.", (True,)),
    "penalize_nl": Refused("line breaks are penalised like any other token.", (True,)),
    "post_sampling_probs": Refused("log probabilities are always the model's, before sampling.", (False,)),
    "reasoning_format": Refused(
        "reasoning is returned in `reasoning_content`; `include_reasoning: false` leaves it out.",
        ("auto", "deepseek", "parsed"),
    ),
    "reasoning_split": Refused("reasoning is returned in `reasoning_content`.", (True,)),
    "regex": Refused(_HAS_FORM_FIELDS),
    "return_tokens_as_token_ids": Refused("send `return_token_ids`.", (False,)),
    "safe_prompt": Refused("put the rules into a message.", (False,)),
    "samplers": Refused("the order of the samplers is fixed.", ([],)),
    "separate_reasoning": Refused("reasoning is returned in `reasoning_content`.", (True,)),
    "skip_special_tokens": Refused("special tokens are never part of the text.", (True,)),
    "stream_reasoning": Refused("reasoning is always streamed.", (True,)),
    "tfs_z": Refused(_NO_SUCH_SAMPLER, (1,)),
    "typ_p": Refused(_NO_SUCH_SAMPLER, (1,)),
    "typical_p": Refused(_NO_SUCH_SAMPLER, (1,)),
    "use_beam_search": Refused("beam search is not supported.", (False,)),
    "vllm_xargs": Refused("the server has no plugins.", ({},)),
}
ALIASES: Mapping[str, str] = {
    "timings_per_token": "timings",
    "min_new_tokens": "min_tokens",
    "max_new_tokens": "max_tokens",
    "n_predict": "max_tokens",
    "repeat_last_n": "repetition_window",
    "repetition_context_size": "repetition_window",
    "num_predict": "max_tokens",
    "random_seed": "seed",
    "repeat_penalty": "repetition_penalty",
}
