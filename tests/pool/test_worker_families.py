"""Families on a real worker, with a random model that has their control tokens and speaks their template."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from inference.core.events import Ended, Event, Finished, TextDelta, ToolCallDelta
from inference.core.requests import Sampling, Tool
from inference.pool import ProcessRunner
from tests.adapters.families import (
    test_codellama,
    test_command_r,
    test_deepseek,
    test_deepseek_dsml,
    test_gemma,
    test_glm,
    test_gpt_oss,
    test_granite,
    test_kimi,
    test_llama4,
    test_minimax,
    test_mistral,
    test_olmo,
    test_phi,
    test_smollm,
)
from tests.adapters.family_models import LLAMA_TOOLS
from tests.adapters.published_templates import published
from tests.fakes import card
from tests.nightly import of_each_kind
from tests.pool.worker_models import OPTIONS, ask, chat
from tests.tiny import CHATML, SPECIAL, make_tiny_model, make_tokenizer

pytestmark = [pytest.mark.mlx, pytest.mark.asyncio(loop_scope="module")]
NOW = Tool(name="now", parameters='{"type":"object","properties":{},"additionalProperties":false}')
WILD = Sampling(temperature=1.5, seed=1)


class Family(NamedTuple):
    adapter: str
    template: str
    special: tuple[str, ...]
    ends: tuple[str, ...]
    mark: str  # what it says that is no text, though it ends nothing


FAMILIES = (
    Family("mistral", published("ministral_3"), test_mistral.TOKENS, ("</s>",), "[THINK]"),
    Family(
        "gemma4",
        published("gemma_4"),
        test_gemma.TOKENS_4,
        ("<turn|>", "<eos>", "<|tool_response>"),
        "<|tool_call>",
    ),
    Family(
        "function_gemma",
        test_gemma.FUNCTION_GEMMA,
        test_gemma.TOKENS_FUNCTION,
        ("<end_of_turn>", "<eos>", "<start_function_response>"),
        "<start_function_call>",
    ),
    Family("phi", test_phi.PHI_4_MINI, test_phi.TOKENS_MINI, ("<|end|>", "<|endoftext|>"), "<|tool_call|>"),
    Family("granite", published("granite_3_3"), test_granite.TOKENS, ("<|end_of_text|>",), "<|tool_call|>"),
    Family(
        "command_r",
        test_command_r.R7B["tool_use"],
        (*test_command_r.SPECIAL, *test_command_r.ORDINARY),
        ("<|END_OF_TURN_TOKEN|>", "<EOS_TOKEN>"),
        "<|START_RESPONSE|>",
    ),
    Family(
        "llama4",
        test_llama4.JSON,
        test_llama4.TOKENS,
        ("<|eot|>", "<|eom|>", "<|end_of_text|>"),
        "<|python_start|>",
    ),
    Family(
        "qwen",
        published("qwen3_coder"),
        ("<|im_start|>", "<|endoftext|>", "<|im_end|>", "<tool_call>", "</tool_call>"),
        ("<|im_end|>", "<|endoftext|>"),
        "<|im_start|>",
    ),
    Family(
        "deepseek_dsml",
        published("deepseek_v3_2"),
        test_deepseek_dsml.DSML_TOKENS,
        ("<｜end▁of▁sentence｜>",),
        "<｜User｜>",
    ),
    Family(
        "glm",
        published("glm_4_6"),
        test_glm.TOKENS,
        ("<|user|>", "<|observation|>", "<|endoftext|>"),
        "<sop>",
    ),
    Family("kimi", test_kimi.K2, test_kimi.TOKENS, ("<|im_end|>", "[EOS]"), "<|im_user|>"),
    Family(
        "gpt_oss",
        published("gpt_oss"),
        test_gpt_oss.TOKENS,
        ("<|return|>", "<|call|>", "<|endoftext|>"),
        "<|start|>",
    ),
    Family(
        "smollm", test_smollm.SMOLLM_3, test_smollm.TOKENS, ("<|im_end|>", "<|end_of_text|>"), "<|im_start|>"
    ),
    Family("olmo", test_olmo.OLMO_3, test_olmo.TOKENS, ("<|im_end|>", "<|endoftext|>"), "<|im_start|>"),
    Family("minimax", published("minimax_m2"), test_minimax.TOKENS, ("[e~[",), "]~!b["),
    Family("default", CHATML, SPECIAL, ("<|im_end|>",), "<|im_start|>"),
    Family(
        "llama3",
        LLAMA_TOOLS,
        (*SPECIAL, "<|python_tag|>"),
        ("<|eot_id|>", "<|eom_id|>", "<|end_of_text|>"),
        "<|python_tag|>",
    ),
    Family("codellama", test_codellama.LLAMA_2, test_codellama.SPECIAL, ("</s>", "▁<EOT>"), "▁<PRE>"),
    Family("codellama", test_codellama.CODE_70B, ("<s>", "</s>", "<step>"), ("</s>", "<step>"), "<s>"),
    Family("gemma", test_gemma.GEMMA_2, test_gemma.TOKENS, ("<end_of_turn>", "<eos>"), "<start_of_turn>"),
    Family("gemma", test_gemma.ALTERNATES, test_gemma.TOKENS, ("<end_of_turn>", "<eos>"), "<start_of_turn>"),
    *(
        Family(
            "deepseek",
            template,
            test_deepseek.TOKENS,
            ("<｜end▁of▁sentence｜>",),
            "<｜tool▁calls▁begin｜>",
        )
        for template in (test_deepseek.V3, published("deepseek_r1"), published("deepseek_v3_1"))
    ),
)
# A family of each way to mark reasoning, calls and ends; the others are read from texts in tests/adapters.
IN_GATE = ("gemma4", "gpt_oss", "kimi")


TRIED = of_each_kind(FAMILIES, [family for family in FAMILIES if family.adapter in IN_GATE])


class Running(NamedTuple):
    family: Family
    runner: ProcessRunner

    def token(self, text: str) -> int:
        found = make_tokenizer(self.family.special).token_to_id(text)
        assert found is not None
        return int(found)

    def insisting(self, token: str) -> Sampling:
        """The model generates this token, whatever its logits are."""
        return Sampling(temperature=0, logit_bias=((self.token(token), 100.0),))


@pytest_asyncio.fixture(
    scope="module", loop_scope="module", params=TRIED, ids=[family.adapter for family in TRIED]
)
async def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    family: Family = request.param
    folder: Path = make_tiny_model(
        tmp_path_factory.mktemp("models") / family.adapter,
        template=family.template,
        special=family.special,
        context=8192,  # a byte is a token here, and some describe their tools at length
    )
    runner = ProcessRunner(OPTIONS, stuck_after_s=120)
    await runner.load(card(path=str(folder), adapter=family.adapter), lambda progress: None)
    yield Running(family, runner)
    await runner.stop()


def end_of(events: list[Event]) -> tuple[str, str, int]:
    """All text, why it ended, and how many tokens were made."""
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    (reason,) = [event.reason for event in events if isinstance(event, Ended)]
    assert isinstance(events[-1], Finished)
    return text, reason, events[-1].usage.completion_tokens


async def test_each_of_its_ends_ends_an_answer_and_is_no_text(running: Running) -> None:
    for end in running.family.ends:
        events = await ask(running.runner, chat(sampling=running.insisting(end)))
        assert end_of(events) == ("", "stop", 1)


async def test_its_marks_are_no_text(running: Running) -> None:
    insisting = running.insisting(running.family.mark)
    events = await ask(running.runner, chat(sampling=insisting, max_tokens=3))
    assert end_of(events) == ("", "length", 3)


async def test_a_required_call_is_made_in_its_manner(running: Running) -> None:
    # A random model that thinks first takes some hundred tokens to end that.
    rules: dict[str, Any] = {"must_call": ("now",), "may_call_several": False, "sampling": WILD}
    events = await ask(running.runner, chat(tools=(NOW,), max_tokens=1500, **rules))
    calls = [event for event in events if isinstance(event, ToolCallDelta)]
    assert [call.name for call in calls if call.name] == ["now"]
    assert json.loads("".join(call.text for call in calls)) == {}
    assert end_of(events)[:2] == ("", "tool_calls")
