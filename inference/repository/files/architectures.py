"""Which kinds of models mlx-lm can load: the site asks before a download, and never imports mlx-lm."""

import importlib.util
from functools import cache
from pathlib import Path

# mlx_lm.utils.MODEL_REMAPPING, which only workers can import.
OTHER_NAMES = frozenset(
    {
        *("mistral", "llava", "phi-msft", "falcon_mamba", "joyai_llm_flash", "kimi_k2", "qwen2_5_vl"),
        *("minimax_m2", "iquestcoder", "xverse", "gemma4_unified", "deepseek_v41_text"),
    }
)


OURS = frozenset({"idefics3", "smolvlm"})  # that mlx-lm lacks, and worker/model/text_classes.py has


def is_known(model_type: str) -> bool:
    """Whether this `model_type` of a config.json can be loaded; True if that is unknown."""
    known = _modules()
    return not known or model_type in known | OTHER_NAMES | OURS


@cache
def _modules() -> frozenset[str]:
    # Of a package alone nothing is imported to find it.
    found = importlib.util.find_spec("mlx_lm")
    places = (found.submodule_search_locations or ()) if found else ()
    return frozenset(path.stem for place in places for path in (Path(place) / "models").glob("*.py"))
