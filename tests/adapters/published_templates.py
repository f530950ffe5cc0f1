"""Published chat templates, from the collection that llama.cpp tests with.

    pip download --no-deps --no-binary :all: llama-cpp-python==0.3.36
    tar xzf llama_cpp_python-0.3.36.tar.gz
    python -m tests.adapters.published_templates llama_cpp_python-0.3.36/vendor/llama.cpp/models/templates

Only templates whose licence allows redistribution are here, with their licence; tests of Llama, Gemma 3 and
Command R have short versions of theirs. DeepSeek publishes V3.2 and V4 without one: theirs are llama.cpp's.
"""

import sys
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "real" / "templates"


class Source(NamedTuple):
    model: str  # the file's name in llama.cpp, which has model and maker
    licence: str


PUBLISHED = {
    "deepseek_r1": Source("deepseek-ai-DeepSeek-R1-Distill-Llama-8B", "MIT"),
    "deepseek_v3_1": Source("deepseek-ai-DeepSeek-V3.1", "MIT"),
    "deepseek_v3_2": Source("deepseek-ai-DeepSeek-V3.2", "MIT"),
    "deepseek_v4": Source("deepseek-ai-DeepSeek-V4", "MIT"),
    "devstral": Source("unsloth-mistral-Devstral-Small-2507", "Apache-2.0"),
    "gemma_4": Source("google-gemma-4-31B-it", "Apache-2.0"),
    "glm_4_6": Source("GLM-4.6", "MIT"),
    "glm_4_7": Source("GLM-4.7-Flash", "MIT"),
    "gpt_oss": Source("openai-gpt-oss-120b", "Apache-2.0"),
    "granite_3_3": Source("ibm-granite-granite-3.3-2B-Instruct", "Apache-2.0"),
    "granite_4": Source("ibm-granite-granite-4.0", "Apache-2.0"),
    "granite_4_1": Source("ibm-granite-granite-4.1", "Apache-2.0"),
    "kimi_k2": Source("moonshotai-Kimi-K2", "Modified MIT"),
    "minimax_m1": Source("MiniMax-M1", "Apache-2.0"),
    "minimax_m2": Source("MiniMax-M2", "MIT"),
    "ministral_3": Source("mistralai-Ministral-3-14B-Reasoning-2512", "Apache-2.0"),
    "mistral_small": Source("Mistral-Small-3.2-24B-Instruct-2506", "Apache-2.0"),
    "phi_3_5": Source("microsoft-Phi-3.5-mini-instruct", "MIT"),
    "qwen2_5": Source("Qwen-Qwen2.5-7B-Instruct", "Apache-2.0"),
    "qwen3_5": Source("Qwen3.5-4B", "Apache-2.0"),
    "qwen3_coder": Source("Qwen3-Coder", "Apache-2.0"),
    "smollm3": Source("HuggingFaceTB-SmolLM3-3B", "Apache-2.0"),
}


def published(name: str) -> str:
    """The template of this name."""
    return (FOLDER / f"{name}.jinja").read_text()


def take(collection: Path) -> None:
    """Copy the templates above out of llama.cpp's folder of them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, source in PUBLISHED.items():
        template = (collection / f"{source.model}.jinja").read_text()
        (FOLDER / f"{name}.jinja").write_text(template)


if __name__ == "__main__":
    take(Path(sys.argv[1]))
