"""Imported models as the worker serves them: loaded, recognised, prompted as their own tokenizer would."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inference.core.protocol import Load
from inference.core.requests import ChatRequest, Message
from tests.gguf_files import vocabulary
from tests.gguf_models import TINY, make_pair
from tests.tiny import CHATML
from tests.worker.conversion.importing import import_here
from tests.worker.conversion.test_pieces import metadata, train

pytestmark = pytest.mark.mlx
GEMMA = (
    "{{ bos_token }}{% for message in messages %}<start_of_turn>"
    "{{ 'model' if message['role'] == 'assistant' else message['role'] }}\n"
    "{{ message['content'] | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}"
    "[INST] {{ message['content'] }} [/INST]{% else %}{{ message['content'] }}{{ eos_token }}{% endif %}"
    "{% endfor %}"
)
Loaded = Any


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[..., Loaded]:
    def loaded(name: str, changes: dict[str, Any]) -> Loaded:
        from inference.worker.model.loading import load

        _, gguf = make_pair(tmp_path, TINY[name], kind="Q4_K", changes=changes)
        import_here(gguf, tmp_path / "model")
        return load(Load(model="m", path=str(tmp_path / "model"), device="cpu"), lambda progress: None)

    return loaded


def prompt(loaded: Loaded, content: str) -> list[int]:
    messages = (Message(role="user", content=content),)
    ids: list[int] = loaded.adapter.render(ChatRequest(model="m", messages=messages))
    return ids


def test_qwen(loaded: Callable[..., Loaded]) -> None:
    qwen = loaded("qwen3", {"tokenizer.chat_template": CHATML, "tokenizer.ggml.pre": "qwen2"})
    assert qwen.adapter.name == "qwen"
    assert {vocabulary()[token] for token in qwen.stop_ids} >= {"<|im_end|>"}
    ids = prompt(qwen, "abc 12 🙂")
    assert qwen.tokenizer.decode(ids) == "<|im_start|>user\nabc 12 🙂<|im_end|>\n<|im_start|>assistant\n"


@pytest.mark.parametrize("name", ["gemma2", "gemma3"])
def test_gemma(loaded: Callable[..., Loaded], name: str, tmp_path: Path) -> None:
    turns = ["<start_of_turn>", "<end_of_turn>"]
    ids = {"pad_id": 0, "eos_id": 1, "bos_id": 2, "unk_id": 3}
    symbols = {"user_defined_symbols": ["▁▁", "\n\n"], "control_symbols": turns}
    theirs = train(tmp_path, add_dummy_prefix=False, **ids, **symbols)
    gemma = loaded(name, metadata(theirs, add_space_prefix=False) | {"tokenizer.chat_template": GEMMA})
    assert gemma.adapter.name == "gemma"
    assert {theirs.id_to_piece(token) for token in gemma.stop_ids} == {"</s>", "<end_of_turn>"}
    begin, start, end = (theirs.piece_to_id(piece) for piece in ("<s>", *turns))
    assert prompt(gemma, "two  spaces 日本語 🙂") == [
        *(begin, start, *theirs.encode("user\ntwo  spaces 日本語 🙂"), end),
        *(*theirs.encode("\n"), start, *theirs.encode("model\n")),
    ]


def test_mistral(loaded: Callable[..., Loaded], tmp_path: Path) -> None:
    theirs = train(tmp_path)
    mistral = loaded("mistral", metadata(theirs) | {"tokenizer.chat_template": MISTRAL})
    assert mistral.stop_ids == {theirs.eos_id()}
    fields = "[INST] the quick brown fox 🙂 [/INST]"
    assert prompt(mistral, "the quick brown fox 🙂") == [theirs.bos_id(), *theirs.encode(fields)]
