"""What differs between model families. This is the whole list: the first adapter that fits is the model's."""

from inference.adapters.base import Adapter, ModelFacts, Tokenizer
from inference.adapters.codellama import CodeLlama
from inference.adapters.command_r import CommandR
from inference.adapters.deepseek import DeepSeek, DeepSeekDsml
from inference.adapters.default import Default
from inference.adapters.gemma import FunctionGemma, Gemma, Gemma4
from inference.adapters.glm import Glm
from inference.adapters.gpt_oss import GptOss
from inference.adapters.granite import Granite
from inference.adapters.kimi import Kimi
from inference.adapters.llama import Llama3
from inference.adapters.llama4 import Llama4
from inference.adapters.minimax import MiniMax
from inference.adapters.mistral import Mistral
from inference.adapters.olmo import Olmo
from inference.adapters.phi import Phi
from inference.adapters.qwen import Qwen
from inference.adapters.smollm import SmolLM

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
    """The adapter of the model these facts are of, or the one of this name where the operator chose it."""
    fitting = next(adapter for adapter in ADAPTERS if (adapter.name == name if name else adapter.fits(facts)))
    return fitting(facts, tokenizer)
