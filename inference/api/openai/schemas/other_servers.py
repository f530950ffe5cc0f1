"""Fields of other servers and clients, which people's programs send whichever server they are pointed at.

Sources: llama.cpp's tools/server/README.md, vLLM's protocol classes, Ollama's docs/api.md and mlx-lm's
SERVER.md.
"""

from collections.abc import Mapping

from inference.api.http.strict_schema import Refused

_MEMORY = "the server decides about memory and threads."
_ORDER = "requests are served in the order in which they arrive."
_SPEED = "it only changes the speed of an answer."
_NO_SUCH_SAMPLER = "there is no such sampler."

NOTED: Mapping[str, str] = {
    "cache_prompt": "prefixes are always cached.",
    "client_metadata": "it describes the client.",
    "draft_model": _SPEED,
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
    "request_id": "the server numbers requests itself.",
    "service_tier": "there is one tier.",
    "spaces_between_special_tokens": "special tokens have no text here.",
    "use_mlock": _MEMORY,
    "use_mmap": _MEMORY,
}
REFUSED: Mapping[str, Refused] = {
    "adapters": Refused("there are no adapters."),
    "dynatemp_range": Refused(_NO_SUCH_SAMPLER, (0,)),
    "length_penalty": Refused("there is no beam search.", (1,)),
    "mirostat": Refused(_NO_SUCH_SAMPLER, (0,)),
    "skip_special_tokens": Refused("special tokens have no text here.", (True,)),
    "tfs_z": Refused(_NO_SUCH_SAMPLER, (1,)),
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
