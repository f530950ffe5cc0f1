"""Rerankers with random weights, and what their scores must be, computed plainly with numpy."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer, processors

from tests.tiny import make_tokenizer
from tests.tiny_vectors import (
    HIDDEN,
    LONGEST,
    SPECIAL,
    Floats,
    bert_config,
    bert_states,
    bert_weights,
    linear_of,
    make_tiny_qwen3,
    random_weights,
)

JUDGE_SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>", "yes", "no")
PADDING = 1


def make_tiny_cross_encoder(folder: Path, *, is_roberta: bool = False, labels: int = 1) -> Path:
    """BertForSequenceClassification or XLMRobertaForSequenceClassification, as transformers writes them."""
    folder.mkdir(parents=True)
    tokenizer = _pair_tokenizer(is_roberta)
    tokenizer.save(str(folder / "tokenizer.json"))
    vocabulary = tokenizer.get_vocab_size()
    kind = "xlm-roberta" if is_roberta else "bert"
    config = bert_config(vocabulary) | {
        "model_type": kind,
        "architectures": [f"{'XLMRoberta' if is_roberta else 'Bert'}ForSequenceClassification"],
        "id2label": {str(label): f"LABEL_{label}" for label in range(labels)},
        **({"type_vocab_size": 1, "layer_norm_eps": 1e-5, "pad_token_id": PADDING} if is_roberta else {}),
    }
    (folder / "config.json").write_text(json.dumps(config))
    save_file(_weights(vocabulary, is_roberta), str(folder / "model.safetensors"), metadata={"format": "pt"})
    marks = {"tokenizer_class": "PreTrainedTokenizerFast", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    (folder / "tokenizer_config.json").write_text(json.dumps(marks))
    return folder


def make_tiny_judge(folder: Path, *, is_tied: bool = True) -> Path:
    """A Qwen3-Reranker: a language model whose folder is known by its name alone."""
    make_tiny_qwen3(folder)
    for path in (folder / "1_Pooling" / "config.json", folder / "modules.json"):
        path.unlink()
    tokenizer = make_tokenizer(JUDGE_SPECIAL)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = json.loads((folder / "config.json").read_text())
    vocabulary = tokenizer.get_vocab_size()
    config |= {"vocab_size": vocabulary, "max_position_embeddings": 1024, "tie_word_embeddings": is_tied}
    (folder / "config.json").write_text(json.dumps(config))
    weights = load_file(str(folder / "model.safetensors"))
    heads: dict[str, tuple[int, ...]]
    heads = {"embed_tokens.weight": (vocabulary, HIDDEN), "lm_head.weight": (vocabulary, HIDDEN)}
    weights |= random_weights(heads, 3)
    head = {} if is_tied else {"lm_head.weight": weights["lm_head.weight"]}
    body = {f"model.{name}": array for name, array in weights.items() if name != "lm_head.weight"}
    save_file(body | head, str(folder / "model.safetensors"), metadata={"format": "pt"})
    return folder


def cross_encoder_score(folder: Path, query: str, document: str) -> float:
    """The sigmoid of the one label's logit."""
    found = Tokenizer.from_file(str(folder / "tokenizer.json")).encode(query, document)
    return score_of(folder, found.ids, found.type_ids)


def score_of(folder: Path, ids: Sequence[int], segments: Sequence[int]) -> float:
    stored = load_file(str(folder / "model.safetensors"))
    is_roberta = "roberta.embeddings.LayerNorm.weight" in stored
    weights = {name.removeprefix("bert.").removeprefix("roberta."): a for name, a in stored.items()}
    if is_roberta:
        hidden = bert_states(weights, ids, [0] * len(ids), first=PADDING + 1, epsilon=1e-5)
        logit = linear_of(
            weights, np.tanh(linear_of(weights, hidden[0], "classifier.dense")), "classifier.out_proj"
        )
    else:
        hidden = bert_states(weights, ids, segments)
        logit = linear_of(weights, np.tanh(linear_of(weights, hidden[0], "pooler.dense")), "classifier")
    return float(1 / (1 + np.exp(-logit[0])))


def _pair_tokenizer(is_roberta: bool) -> Tokenizer:
    tokenizer = make_tokenizer(SPECIAL)
    ids = [(token, tokenizer.token_to_id(token)) for token in SPECIAL[:2]]
    pair = "[CLS] $A [SEP] [SEP] $B [SEP]" if is_roberta else "[CLS] $A [SEP] $B:1 [SEP]:1"
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair=pair, special_tokens=ids
    )
    return tokenizer


def _weights(vocabulary: int, is_roberta: bool) -> dict[str, Floats]:
    prefix = "roberta" if is_roberta else "bert"
    body = bert_weights(vocabulary)
    if is_roberta:
        body = {name: array for name, array in body.items() if not name.startswith("pooler.")}
        body["embeddings.token_type_embeddings.weight"] = body["embeddings.token_type_embeddings.weight"][:1]
    dense, out = ("classifier.dense", "classifier.out_proj") if is_roberta else ("", "classifier")
    shapes: dict[str, tuple[int, ...]] = {f"{out}.weight": (1, HIDDEN), f"{out}.bias": (1,)}
    if dense:
        shapes |= {f"{dense}.weight": (HIDDEN, HIDDEN), f"{dense}.bias": (HIDDEN,)}
    named = {f"{prefix}.{name}": array for name, array in body.items()}
    return named | random_weights(shapes, 7)


ROBERTA_LONGEST = LONGEST - PADDING - 1
