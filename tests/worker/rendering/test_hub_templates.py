"""Templates are rendered as transformers renders them, by a small part of that package."""

import json
import re
import subprocess
import sys
from typing import Any

from transformers import PreTrainedTokenizerFast

from inference.core.config import BASE_DIR
from inference.core.errors import TemplateFailed
from inference.worker.model.tokenizer import HubTokenizer
from tests.adapters.family_models import LLAMA_TOOLS, MISTRAL_ARGS
from tests.each import each
from tests.tiny import CHATML, SPECIAL, make_tokenizer

TEMPLATES = {path.stem: path.read_text() for path in (BASE_DIR / "tests/adapters/real").rglob("*.jinja")}
TEMPLATES |= {"chatml": CHATML, "llama": LLAMA_TOOLS, "mistral": MISTRAL_ARGS}
CALL = {"id": "abcdefghi", "type": "function", "function": {"name": "add", "arguments": {"a": 1, "b": "é<>"}}}
TALK: list[dict[str, Any]] = [
    {"role": "user", "content": "Hi é <b>"},
    {"role": "assistant", "content": "", "reasoning_content": "Well", "tool_calls": [CALL]},
    {"role": "tool", "name": "add", "tool_call_id": "abcdefghi", "content": "2"},
    {"role": "assistant", "content": "Two.", "tool_calls": None},
    {"role": "user", "content": "And now?"},
]
TOOL = {
    "type": "function",
    "function": {"name": "add", "description": "Adds.", "parameters": {"type": "object"}},
}
FAILED = "failed"
Json = dict[str, Any]


def theirs(hub: PreTrainedTokenizerFast, messages: list[Json], tools: list[Json]) -> str:
    options = {"tokenize": False, "add_generation_prompt": True, "enable_thinking": False}
    try:
        return str(hub.apply_chat_template(messages, tools=tools or None, **options))
    except Exception:  # noqa: BLE001 - whatever it raises, ours has to refuse as well
        return FAILED


def ours(hub: PreTrainedTokenizerFast, messages: list[Json], tools: list[Json]) -> str:
    options = {"enable_thinking": False}
    try:
        return HubTokenizer(hub).render(messages, tools=tools, opens_answer=True, options=options)
    except TemplateFailed:
        return FAILED


@each("name", TEMPLATES)
def test_it_renders_as_apply_chat_template_does(name: str) -> None:
    rust = make_tokenizer(SPECIAL)
    hub = PreTrainedTokenizerFast(
        tokenizer_object=rust, chat_template=TEMPLATES[name], bos_token=SPECIAL[0], eos_token=SPECIAL[1]
    )
    cases: list[tuple[list[Json], list[Json]]] = [
        (TALK[:1], []),
        (TALK[:1], [TOOL]),
        (TALK, [TOOL]),
        (TALK[3:], []),
    ]
    found = [theirs(hub, *case) for case in cases]
    assert [ours(hub, *case) for case in cases] == found
    assert set(found) != {FAILED}


def test_the_rest_of_the_package_is_not_imported() -> None:
    code = (
        "import json, sys; from inference.worker.rendering import hub_templates; hub_templates.imported();"
        "print(json.dumps([m for m in sys.modules if m.startswith(('transformers', 'tokenizers', 'mlx'))]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=BASE_DIR, capture_output=True, check=True)
    modules = json.loads(done.stdout)
    assert "transformers.utils.chat_template_utils" in modules
    assert not any(re.match(r"tokenizers|mlx|transformers\.(models|utils\.hub)", m) for m in modules)
