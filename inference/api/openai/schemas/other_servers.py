"""Fields of other servers and clients, which people's programs send whichever server they are pointed at.

Sources: llama.cpp's tools/server/README.md, vLLM's protocol classes, Ollama's docs/api.md and mlx-lm's
SERVER.md, SGLang's docs/basic_usage/sampling_params.md and LM Studio's docs.
"""

from collections.abc import Mapping

from inference.api.http.strict_schema import Refused

_MEMORY = "the server decides about memory and threads."
_ORDER = "requests are served in the order in which they arrive."
_SPEED = "it only changes the speed of an answer."
_NO_SUCH_SAMPLER = "there is no such sampler."

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
    "n_keep": "a context is never shortened.",
    "num_batch": _MEMORY,
    "num_ctx": _MEMORY,
    "num_draft_tokens": _SPEED,
    "num_gpu": _MEMORY,
    "num_keep": "a context is never shortened.",
    "num_thread": _MEMORY,
    "numa": _MEMORY,
    "prediction": _SPEED,
    "priority": _ORDER,
    "prompt_cache_options": "prefixes are cached as memory allows.",
    "prompt_cache_retention": "prefixes are cached as memory allows.",
    "reasoning_control": "the reasoning of every answer can be ended while it goes on.",
    "rid": "the server numbers requests itself.",
    "request_id": "the server numbers requests itself.",
    "service_tier": "there is one tier.",
    "slot_id": _ORDER,
    "spaces_between_special_tokens": "special tokens have no text here.",
    "tool_stream": "calls are always streamed.",
    "ttl": _MEMORY,
    "use_mlock": _MEMORY,
    "use_mmap": _MEMORY,
}
REFUSED: Mapping[str, Refused] = {
    "adapters": Refused("there are no adapters."),
    "do_sample": Refused("send `temperature`: 0 for the likeliest tokens.", (True,)),
    "dynatemp_range": Refused(_NO_SUCH_SAMPLER, (0,)),
    "ebnf": Refused(_HAS_FORM_FIELDS),
    "include_stop_str_in_output": Refused("a text ends before its stop.", (False,)),
    "length_penalty": Refused("there is no beam search.", (1,)),
    "lora": Refused("name an adapter as `model:adapter` in `model`.", ([],)),
    "lora_path": Refused("name an adapter as `model:adapter` in `model`."),
    "mirostat": Refused(_NO_SUCH_SAMPLER, (0,)),
    "no_stop_trim": Refused("a text ends before its stop.", (False,)),
    "num_beams": Refused("there is no beam search.", (1,)),
    "parse_tool_calls": Refused("calls are always returned as such.", (True,)),
    "penalize_nl": Refused("line breaks are penalised as any token is.", (True,)),
    "post_sampling_probs": Refused("log probabilities are those of the model.", (False,)),
    "reasoning_format": Refused(
        "reasoning is returned in `reasoning_content`; `include_reasoning: false` leaves it out.",
        ("auto", "deepseek", "parsed"),
    ),
    "reasoning_split": Refused("reasoning is returned in `reasoning_content`.", (True,)),
    "regex": Refused(_HAS_FORM_FIELDS),
    "return_tokens_as_token_ids": Refused("send `return_token_ids`.", (False,)),
    "samplers": Refused("samplers have one order.", ([],)),
    "separate_reasoning": Refused("reasoning is returned in `reasoning_content`.", (True,)),
    "skip_special_tokens": Refused("special tokens have no text here.", (True,)),
    "stream_reasoning": Refused("reasoning is streamed as it comes.", (True,)),
    "tfs_z": Refused(_NO_SUCH_SAMPLER, (1,)),
    "typ_p": Refused(_NO_SUCH_SAMPLER, (1,)),
    "typical_p": Refused(_NO_SUCH_SAMPLER, (1,)),
    "use_beam_search": Refused("there is no beam search.", (False,)),
}
ALIASES: Mapping[str, str] = {
    "timings_per_token": "timings",
    "min_new_tokens": "min_tokens",
    "max_new_tokens": "max_tokens",
    "n_predict": "max_tokens",
    "repeat_last_n": "repetition_window",
    "repetition_context_size": "repetition_window",
    "num_predict": "max_tokens",
    "repeat_penalty": "repetition_penalty",
}
