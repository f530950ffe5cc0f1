"""What differs between model families. `ADAPTERS` lists all of them: the first adapter that fits is used."""

from inference.adapters.base import Adapter
from inference.adapters.families.codellama import CodeLlama
from inference.adapters.families.command_r import CommandR
from inference.adapters.families.deepseek import DeepSeek, DeepSeekDsml
from inference.adapters.families.default import Default
from inference.adapters.families.gemma import FunctionGemma, Gemma, Gemma4
from inference.adapters.families.glm import Glm
from inference.adapters.families.gpt_oss import GptOss
from inference.adapters.families.granite import Granite
from inference.adapters.families.kimi import Kimi
from inference.adapters.families.llama import Llama3
from inference.adapters.families.llama4 import Llama4
from inference.adapters.families.minimax import MiniMax
from inference.adapters.families.mistral import Mistral
from inference.adapters.families.olmo import Olmo
from inference.adapters.families.phi import Phi
from inference.adapters.families.qwen import Qwen
from inference.adapters.families.smollm import SmolLM
from inference.adapters.model_facts import ModelFacts
from inference.adapters.tokenizer import Tokenizer

ADAPTERS: tuple[type[Adapter], ...] = (
    GptOss,
    SmolLM,
    Olmo,
    DeepSeek,
    DeepSeekDsml,
    Glm,
    Kimi,
    MiniMax,
    Llama3,
    Llama4,
    Mistral,
    FunctionGemma,
    Gemma4,
    Gemma,
    Phi,
    Granite,
    CommandR,
    CodeLlama,
    Qwen,
    Default,
)

__all__ = ["ADAPTERS", "Adapter", "ModelFacts", "Tokenizer", "adapter_for"]


def adapter_for(facts: ModelFacts, tokenizer: Tokenizer, name: str = "") -> Adapter:
    """The first adapter that fits a model, or the adapter with this name if the operator chose one."""
    adapter_class = next(
        adapter for adapter in ADAPTERS if (adapter.name == name if name else adapter.fits(facts))
    )
    return adapter_class(facts, tokenizer)
