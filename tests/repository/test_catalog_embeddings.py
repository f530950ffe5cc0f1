"""Embedding models in the catalog: kept apart from chat models, and the odd ones listed with a reason."""

import json
from pathlib import Path

from inference.repository.card_reader import Machine, make_card
from tests.tiny import make_tiny_model
from tests.tiny_rerankers import ROBERTA_LONGEST, make_tiny_cross_encoder, make_tiny_judge
from tests.tiny_vectors import LONGEST, make_tiny_bert, make_tiny_qwen3

MACHINE = Machine(dequantises=True)


def test_kinds_are_distinguished(tmp_path: Path) -> None:
    bert = make_card("bert", make_tiny_bert(tmp_path / "bert"), "folder", MACHINE)
    qwen3 = make_card("qwen3", make_tiny_qwen3(tmp_path / "qwen3"), "folder", MACHINE)
    chat = make_card("tiny", make_tiny_model(tmp_path / "tiny"), "folder", MACHINE)
    assert (bert.kind, qwen3.kind, chat.kind) == ("embedding", "embedding", "chat")
    assert bert.problem == qwen3.problem == ""


def test_no_token_of_an_embedding_stays_in_memory(tmp_path: Path) -> None:
    card = make_card("bert", make_tiny_bert(tmp_path / "bert"), "folder", MACHINE)
    assert (card.kv_bytes_per_token, card.context_length) == (0, LONGEST)
    assert card.prefill_bytes > 0


def test_the_longest_text_is_the_one_it_was_trained_on(tmp_path: Path) -> None:
    folder = make_tiny_bert(tmp_path / "bert")
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 24}')
    assert make_card("bert", folder, "folder", MACHINE).context_length == 24


def test_a_way_of_pooling_that_is_not_ours_is_the_problem(tmp_path: Path) -> None:
    folder = make_tiny_bert(tmp_path / "bert", mode="max_tokens")
    assert "pools in a way" in make_card("bert", folder, "folder", MACHINE).problem


def test_an_encoder_that_is_not_ours_is_the_problem(tmp_path: Path) -> None:
    folder = make_tiny_bert(tmp_path / "mpnet")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "mpnet"}))
    assert "mpnet are not supported yet" in make_card("mpnet", folder, "folder", MACHINE).problem


def test_rerankers_are_known(tmp_path: Path) -> None:
    bert = make_card("bert", make_tiny_cross_encoder(tmp_path / "bert"), "folder", MACHINE)
    roberta = make_card(
        "bge-reranker", make_tiny_cross_encoder(tmp_path / "roberta", is_roberta=True), "folder", MACHINE
    )
    judge = make_card("Qwen/Qwen3-Reranker-0.6B", make_tiny_judge(tmp_path / "judge"), "folder", MACHINE)
    assert [one.kind for one in (bert, roberta, judge)] == ["rerank"] * 3
    assert [one.problem for one in (bert, roberta, judge)] == [""] * 3
    assert (bert.context_length, roberta.context_length) == (LONGEST, ROBERTA_LONGEST)


def test_a_classifier_is_the_problem(tmp_path: Path) -> None:
    folder = make_tiny_cross_encoder(tmp_path / "classes", labels=3)
    assert "3 classes" in make_card("classes", folder, "folder", MACHINE).problem
