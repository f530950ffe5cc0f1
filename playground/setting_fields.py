"""The numbers among a chat's settings: their labels, and their limits, which are those of the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from inference.api.openai.schemas import ChatCompletionBody
from inference.api.openai.schemas.generation import LONGEST_STOP, MOST_STOPS
from inference.api.openai.schemas.thinking import ReasoningEffort
from inference.api.openai.schemas.tools import MOST_TOOLS

_SAFE_INTEGER = 2**53 - 1  # the largest that JavaScript represents exactly


@dataclass(frozen=True, kw_only=True)
class NumberSetting:
    """One number of the settings panel. `low` and `high` are the ends of its slider, if it has one."""

    name: str  # of the request field
    label: str
    help: str
    step: float
    low: float | None = None
    high: float | None = None
    unit: str = ""
    empty: str = "the default"  # what an empty field means until the model's own value is known

    @property
    def limits(self) -> dict[str, Any]:
        """`least`, `most`, `above` and `whole`, as the request field has them."""
        return _limits(self.name)

    @property
    def element(self) -> str:
        """The id of its field in the page."""
        return f"set-{self.name.replace('_', '-')}"


SAMPLING = (
    NumberSetting(
        name="temperature",
        label="Temperature",
        help="Low for predictable answers, high for varied ones. 0 always picks the most likely token.",
        step=0.05,
        low=0,
        high=2,
    ),
    NumberSetting(
        name="top_p",
        label="Top p",
        help="Samples from the most likely tokens that together have this probability.",
        step=0.01,
        low=0,
        high=1,
    ),
    NumberSetting(
        name="top_k",
        label="Top k",
        help="Samples from this number of most likely tokens; 0 for all.",
        step=1,
        low=0,
        high=200,
    ),
    NumberSetting(
        name="min_p",
        label="Min p",
        help="Drops tokens whose probability is below this fraction of the most likely one's.",
        step=0.01,
        low=0,
        high=1,
    ),
    NumberSetting(
        name="repetition_penalty",
        label="Repetition penalty",
        help="Above 1: repeating tokens of the question or the answer becomes less likely.",
        step=0.05,
        low=0.5,
        high=2,
    ),
    NumberSetting(
        name="presence_penalty",
        label="Presence penalty",
        help="Above 0: repeating tokens of the answer becomes less likely.",
        step=0.1,
        low=-2,
        high=2,
        empty="0, the default",
    ),
    NumberSetting(
        name="frequency_penalty",
        label="Frequency penalty",
        help="The same, in proportion to how often the answer has the token.",
        step=0.1,
        low=-2,
        high=2,
        empty="0, the default",
    ),
    NumberSetting(
        name="xtc_probability",
        label="XTC probability",
        help="How often all likely tokens except the least likely of them are removed, for unusual answers.",
        step=0.05,
        low=0,
        high=1,
        empty="0, the default",
    ),
    NumberSetting(
        name="xtc_threshold",
        label="XTC threshold",
        help="The minimum probability of the tokens that XTC removes.",
        step=0.05,
        low=0,
        high=1,
        empty="0.1, the default",
    ),
    NumberSetting(
        name="dry_multiplier",
        label="DRY multiplier",
        help="Above 0: repeating a longer sequence becomes less likely.",
        step=0.1,
        low=0,
        high=5,
        empty="0, the default",
    ),
)
LENGTH = NumberSetting(
    name="max_tokens",
    label="Maximum length",
    help="",
    step=256,
    empty="the server's limit",
)
SEED = NumberSetting(
    name="seed",
    label="Seed",
    help="The same question with the same seed and settings has the same answer.",
    step=1,
    empty="random",
)
BUDGET = NumberSetting(
    name="thinking_budget",
    label="Reasoning budget",
    unit="tokens",
    help="The maximum length of the reasoning, after which the answer begins. 0 for none.",
    step=256,
    empty="no limit",
)
ALTERNATIVES = NumberSetting(
    name="top_logprobs",
    label="Alternatives",
    help="The number of other likely tokens saved with each token.",
    step=1,
    low=0,
    high=20,
    empty="5, the default",
)


@cache
def _limits(name: str) -> dict[str, Any]:
    kinds = ChatCompletionBody.model_json_schema()["properties"][name]["anyOf"]
    kind = next(one for one in kinds if one["type"] in {"integer", "number"})
    is_whole = kind["type"] == "integer"
    found = {"least": kind.get("minimum"), "most": kind["maximum"], "above": kind.get("exclusiveMinimum")}
    return {"whole": is_whole} | {
        name: max(-_SAFE_INTEGER, min(value, _SAFE_INTEGER))
        for name, value in found.items()
        if value is not None
    }


# What the template of the panel needs.
CONTEXT: Mapping[str, Any] = {
    "sampling": SAMPLING,
    "length": LENGTH,
    "seed": SEED,
    "budget": BUDGET,
    "alternatives": ALTERNATIVES,
    "efforts": get_args(ReasoningEffort),
    "most_stops": MOST_STOPS,
    "longest_stop": LONGEST_STOP,
    "most_tools": MOST_TOOLS,
}
