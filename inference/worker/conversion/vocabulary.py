"""The tokenizer a GGUF file carries, as tokenizer.json and tokenizer_config.json."""

from typing import Any

from tokenizers import AddedToken, Tokenizer, processors

from inference.worker.conversion import byte_level, pieces
from inference.worker.conversion.facts import Facts

UNKNOWN, CONTROL, USER_DEFINED = 2, 3, 4  # GGUF's token types that are no ordinary vocabulary


def make_tokenizer(facts: Facts) -> Tokenizer:
    """The tokenizer with the file's own ids; ValueError for a kind that is not supported."""
    kind = facts.text("tokenizer.ggml.model")
    if kind not in {"gpt2", "llama"}:
        raise ValueError(f"the tokenizer kind {kind[:40]!r} is not supported")
    tokens, types = facts.items("tokenizer.ggml.tokens"), facts.items("tokenizer.ggml.token_type")
    if len(types) != len(tokens) or len(set(tokens)) != len(tokens):
        raise ValueError("its tokenizer is not complete")
    if kind == "gpt2":
        tokenizer, begins = byte_level.make(facts, tokens), byte_level.begins(facts)
    else:
        tokenizer, begins = pieces.make(facts, tokens, types), True
    special = {UNKNOWN, CONTROL} if kind == "llama" else {CONTROL}
    typed = list(zip(tokens, types, strict=True))
    tokenizer.add_special_tokens([_added(token, special=True) for token, its in typed if its in special])
    tokenizer.add_tokens([_added(token, special=False) for token, its in typed if its == USER_DEFINED])
    _add_ends(tokenizer, facts, tokens, begins=begins)
    return tokenizer


def tokenizer_config(facts: Facts) -> dict[str, Any]:
    """tokenizer_config.json: the tokens with a part to play, and the chat template."""
    tokens = facts.items("tokenizer.ggml.tokens")
    config: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        "model_max_length": facts.number("context_length"),
    }
    for role, key in (("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("pad", "padding")):
        if (found := token_id(facts, key)) is not None:
            config[f"{role}_token"] = tokens[found]
    if template := facts.text("tokenizer.chat_template"):
        config["chat_template"] = template
    return config


def token_id(facts: Facts, role: str) -> int | None:
    """The token the file gives a part to, if it does; ValueError when there is no such token."""
    key = f"tokenizer.ggml.{role}_token_id"
    if not facts.has(key):
        return None
    found = facts.number(key)
    if not 0 <= found < len(facts.items("tokenizer.ggml.tokens")):
        raise ValueError(f"its {key} is no token")
    return found


def ends(facts: Facts) -> int | list[int]:
    """The tokens that end an answer: of the text, of a turn, of a message."""
    if token_id(facts, "eos") is None:
        raise ValueError("the file does not say its tokenizer.ggml.eos_token_id")
    found = [token_id(facts, role) for role in ("eos", "eot", "eom")]
    ids = list(dict.fromkeys(token for token in found if token is not None))
    return ids if len(ids) > 1 else ids[0]


def _add_ends(tokenizer: Tokenizer, facts: Facts, tokens: list[str], *, begins: bool) -> None:
    """Have it begin and end texts as the file says, or else as its kind does."""
    bos, eos = token_id(facts, "bos"), token_id(facts, "eos")
    first = [bos] if bos is not None and facts.flag("tokenizer.ggml.add_bos_token", begins) else []
    last = [eos] if eos is not None and facts.flag("tokenizer.ggml.add_eos_token", False) else []
    if first or last:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=[*(tokens[i] for i in first), "$A", *(tokens[i] for i in last)],
            special_tokens=[(tokens[i], i) for i in {*first, *last}],
        )


def _added(token: str, *, special: bool) -> AddedToken:
    return AddedToken(token, special=special, normalized=False)
