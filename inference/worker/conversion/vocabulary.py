"""The tokenizer of a GGUF file as tokenizer.json and tokenizer_config.json."""

from typing import Any

from tokenizers import AddedToken, Tokenizer, processors

from inference.worker.conversion import byte_level, pieces
from inference.worker.conversion.metadata import GgufMetadata

UNKNOWN, CONTROL, USER_DEFINED = 2, 3, 4  # GGUF's types of tokens outside the ordinary vocabulary


def make_tokenizer(metadata: GgufMetadata) -> Tokenizer:
    """The tokenizer with the file's token ids; raises ValueError for a kind that is not supported."""
    kind = metadata.text("tokenizer.ggml.model")
    if kind not in {"gpt2", "llama"}:
        raise ValueError(f"the tokenizer kind {kind[:40]!r} is not supported")
    tokens, types = metadata.items("tokenizer.ggml.tokens"), metadata.items("tokenizer.ggml.token_type")
    if len(types) != len(tokens) or len(set(tokens)) != len(tokens):
        raise ValueError("its tokenizer is not complete")
    if kind == "gpt2":
        tokenizer, adds_bos = byte_level.make(metadata, tokens), byte_level.adds_bos(metadata)
    else:
        tokenizer, adds_bos = pieces.make(metadata, tokens, types), True
    special = {UNKNOWN, CONTROL} if kind == "llama" else {CONTROL}
    typed = list(zip(tokens, types, strict=True))
    tokenizer.add_special_tokens([_added(token, special=True) for token, its in typed if its in special])
    tokenizer.add_tokens([_added(token, special=False) for token, its in typed if its == USER_DEFINED])
    _add_bos_and_eos(tokenizer, metadata, tokens, adds_bos=adds_bos)
    return tokenizer


def tokenizer_config(metadata: GgufMetadata) -> dict[str, Any]:
    """tokenizer_config.json: the special tokens and the chat template."""
    tokens = metadata.items("tokenizer.ggml.tokens")
    config: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        "model_max_length": metadata.number("context_length"),
    }
    for role, key in (("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("pad", "padding")):
        if (found := token_id(metadata, key)) is not None:
            config[f"{role}_token"] = tokens[found]
    if template := metadata.text("tokenizer.chat_template"):
        config["chat_template"] = template
    return config


def token_id(metadata: GgufMetadata, role: str) -> int | None:
    """The id of a special token, None if the file names none; raises ValueError if the id is out of range."""
    key = f"tokenizer.ggml.{role}_token_id"
    if not metadata.has(key):
        return None
    found = metadata.number(key)
    if not 0 <= found < len(metadata.items("tokenizer.ggml.tokens")):
        raise ValueError(f"its {key} is no token")
    return found


def eos_ids(metadata: GgufMetadata) -> int | list[int]:
    """The tokens that end an answer (EOS, EOT, EOM); raises ValueError if the file names no EOS."""
    if token_id(metadata, "eos") is None:
        raise ValueError("the file does not say its tokenizer.ggml.eos_token_id")
    found = [token_id(metadata, role) for role in ("eos", "eot", "eom")]
    ids = list(dict.fromkeys(token for token in found if token is not None))
    return ids if len(ids) > 1 else ids[0]


def _add_bos_and_eos(
    tokenizer: Tokenizer, metadata: GgufMetadata, tokens: list[str], *, adds_bos: bool
) -> None:
    """Add BOS and EOS tokens to texts as the file says, or else as its kind does."""
    bos, eos = token_id(metadata, "bos"), token_id(metadata, "eos")
    first = [bos] if bos is not None and metadata.flag("tokenizer.ggml.add_bos_token", adds_bos) else []
    last = [eos] if eos is not None and metadata.flag("tokenizer.ggml.add_eos_token", False) else []
    if first or last:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=[*(tokens[i] for i in first), "$A", *(tokens[i] for i in last)],
            special_tokens=[(tokens[i], i) for i in {*first, *last}],
        )


def _added(token: str, *, special: bool) -> AddedToken:
    return AddedToken(token, special=special, normalized=False)
