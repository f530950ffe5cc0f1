"""SentencePiece's BPE with byte fallback, which GGUF calls llama: pieces with scores instead of merges."""

from collections.abc import Sequence

from tokenizers import Tokenizer, decoders, models, normalizers

from inference.worker.conversion.metadata import GgufMetadata

_NORMAL, _USER_DEFINED = 1, 4
_SPACE = "\u2581"  # SentencePiece's character for a space


def make(metadata: GgufMetadata, tokens: list[str], types: Sequence[int]) -> Tokenizer:
    """The tokenizer without its special tokens; raises ValueError for an incomplete one."""
    scores = metadata.items("tokenizer.ggml.scores")
    unknown = metadata.number("tokenizer.ggml.unknown_token_id", 0)
    if len(scores) != len(tokens) or not 0 <= unknown < len(tokens):
        raise ValueError("its tokenizer is not complete")
    for i, kind in enumerate(types):
        if kind == _USER_DEFINED:  # matched in the text before its spaces are replaced
            tokens[i] = tokens[i].replace(_SPACE, " ")
    prefixed = metadata.flag("tokenizer.ggml.add_space_prefix", True)
    tokenizer = Tokenizer(
        models.BPE(
            vocab={token: i for i, token in enumerate(tokens)},
            merges=_merges(tokens, types, scores),
            unk_token=tokens[unknown],
            fuse_unk=True,
            byte_fallback=True,
        )
    )
    spaces = normalizers.Replace(" ", _SPACE)
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend(_SPACE), spaces]) if prefixed else spaces
    steps = [decoders.Replace(_SPACE, " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence([*steps, *([decoders.Strip(" ", 1, 0)] if prefixed else [])])
    return tokenizer


def _merges(tokens: Sequence[str], types: Sequence[int], scores: Sequence[float]) -> list[tuple[str, str]]:
    """Every pair of pieces that joins to another piece, best score first."""
    known = {token: i for i, token in enumerate(tokens) if types[i] == _NORMAL}
    found = [
        (-scores[i], known[token[:rule]], known[token[rule:]])
        for token, i in known.items()
        for rule in range(1, len(token))
        if token[:rule] in known and token[rule:] in known
    ]
    return [(tokens[left], tokens[right]) for _, left, right in sorted(found)]
