"""Every published template is taken as it is: what it renders, and what the self-test says of it."""

from inference.adapters import Adapter
from inference.adapters.self_test import findings
from inference.core.requests import Message, ToolCall
from inference.worker.model.tokenizer import HubTokenizer
from tests.adapters.families import (
    test_deepseek,
    test_deepseek_dsml,
    test_gemma,
    test_glm,
    test_gpt_oss,
    test_granite,
    test_kimi,
    test_minimax,
    test_mistral,
    test_phi,
    test_qwen,
    test_smollm,
)
from tests.adapters.family_models import ADD
from tests.adapters.parsed_answers import QUESTION, family, prompt_text
from tests.adapters.published_templates import FOLDER, PUBLISHED, published
from tests.each import each

FREE = {"Apache-2.0", "MIT", "Modified MIT"}
SMOLLM_3 = family("smollm3", published("smollm3"), test_smollm.TOKENS)
M1 = family("minimax", published("minimax_m1"), ("<begin_of_document>", "<end_of_sentence>"))
SPEAKING: dict[str, tuple[Adapter, HubTokenizer]] = {
    "deepseek_r1": test_deepseek.FAMILIES["r1_distill"],
    "deepseek_v3_1": test_deepseek.FAMILIES["v3_1_published"],
    "deepseek_v3_2": test_deepseek_dsml.FAMILIES["v3_2"],
    "deepseek_v4": test_deepseek_dsml.FAMILIES["v4"],
    "devstral": test_mistral.FAMILIES["devstral"],
    "gemma_4": test_gemma.FAMILIES["gemma4"],
    "glm_4_6": test_glm.FAMILIES["4.6"],
    "glm_4_7": test_glm.FAMILIES["4.7"],
    "gpt_oss": (test_gpt_oss.ADAPTER, test_gpt_oss.TOKENIZER),
    "granite_3_3": test_granite.FAMILIES["3.3"],
    "granite_4": test_granite.FAMILIES["4"],
    "granite_4_1": test_granite.FAMILIES["4.1"],
    "kimi_k2": test_kimi.FAMILIES["k2_first"],
    "minimax_m1": M1,
    "minimax_m2": test_minimax.FAMILIES["m2"],
    "ministral_3": test_mistral.FAMILIES["ministral"],
    "mistral_small": test_mistral.FAMILIES["small"],
    "phi_3_5": test_phi.FAMILIES["phi3"],
    "qwen2_5": test_qwen.FAMILIES["qwen2_5"],
    "qwen3_5": test_qwen.FAMILIES["qwen3_5"],
    "qwen3_coder": test_qwen.FAMILIES["coder"],
    "smollm3": SMOLLM_3,
}
# What is not green, as docs/adapters.md lists it.
PROMPTED = {"phi_3_5", "smollm3"}
UNREAD = {"minimax_m1"}
PARSED = sorted(SPEAKING.keys() - UNREAD)
SYSTEM = Message(role="system", content="Be brief.")
ANSWER = Message(role="assistant", content="It is five.")
AGAIN = Message(role="user", content="and 4?")
CALLS = tuple(ToolCall(id=f"call_{place}", name="add", arguments=f'{{"a": 4{place}}}') for place in range(2))
CALLED = Message(role="assistant", content="", tool_calls=CALLS)
RESULTS = tuple(Message(role="tool", content=f"got-{call.id[-1]}", tool_call_id=call.id) for call in CALLS)


def test_every_template_is_listed_with_a_licence_that_lets_it_be_here() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == PUBLISHED.keys() == SPEAKING.keys()
    assert {source.licence for source in PUBLISHED.values()} <= FREE


@each("name", SPEAKING)
def test_the_self_test_finds_nothing_but_what_is_known(name: str) -> None:
    found = {(finding.light, finding.about): finding.text for finding in findings(*SPEAKING[name])}
    if name in UNREAD | PROMPTED:
        problem = "system message describes them" if name in PROMPTED else "syntax that cannot be parsed"
        assert problem in found.pop(("amber", "tools"))
    assert not found


@each("name", SPEAKING)
def test_a_conversation_is_written_in_its_order(name: str) -> None:
    text = prompt_text(*SPEAKING[name], SYSTEM, QUESTION, ANSWER, AGAIN)
    places = [text.index(message.content) for message in (SYSTEM, QUESTION, ANSWER, AGAIN)]
    assert places == sorted(places)
    assert all(text.count(message.content) == 1 for message in (QUESTION, ANSWER, AGAIN))


@each("name", SPEAKING)
def test_a_late_system_message_and_a_second_question_are_not_lost(name: str) -> None:
    text = prompt_text(*SPEAKING[name], QUESTION, ANSWER, SYSTEM, AGAIN, AGAIN)
    assert text.index(ANSWER.content) < text.index(AGAIN.content)
    assert (text.count(SYSTEM.content), text.count(AGAIN.content)) == (1, 2)


@each("name", PARSED)
def test_calls_and_their_results_are_written_in_their_order(name: str) -> None:
    text = prompt_text(*SPEAKING[name], QUESTION, CALLED, *RESULTS, ANSWER, AGAIN, tools=(ADD,))
    calls = [text.index(f"4{place}") for place in range(2)]
    results = [text.index(result.content) for result in RESULTS]
    assert calls == sorted(calls) and results == sorted(results)
    assert calls[0] < results[0] and calls[1] < results[1]
    assert results[1] < text.index(ANSWER.content) < text.index(AGAIN.content)


@each("name", SPEAKING)
def test_a_longer_conversation_begins_as_the_shorter_one_did(name: str) -> None:
    """So that what has been computed for a question is found again behind it."""
    before, question, _ = prompt_text(*SPEAKING[name], QUESTION).rpartition(QUESTION.content)
    assert prompt_text(*SPEAKING[name], QUESTION, ANSWER, AGAIN).startswith(before + question)
