"""SentencePiece's BPE with byte fallback, which GGUF calls llama: pieces with scores instead of merges."""

from collections.abc import Sequence

from tokenizers import Tokenizer, decoders, models, normalizers

from inference.worker.conversion.facts import Facts

_NORMAL, _USER_DEFINED = 1, 4
_SPACE = "\u2581"  # what SentencePiece writes for a space


def make(facts: Facts, tokens: list[str], types: Sequence[int]) -> Tokenizer:
    """A tokenizer without its special tokens."""
    scores = facts.items("tokenizer.ggml.scores")
    unknown = facts.number("tokenizer.ggml.unknown_token_id", 0)
    if len(scores) != len(tokens) or not 0 <= unknown < len(tokens):
        raise ValueError("its tokenizer is not complete")
    for i, kind in enumerate(types):
        if kind == _USER_DEFINED:  # found in the text itself, before its spaces are written anew
            tokens[i] = tokens[i].replace(_SPACE, " ")
    prefixed = facts.flag("tokenizer.ggml.add_space_prefix", True)
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
    """Every way to make a piece of two others; the piece with the best score is made first."""
    known = {token: i for i, token in enumerate(tokens) if types[i] == _NORMAL}
    found = [
        (-scores[i], known[token[:cut]], known[token[cut:]])
        for token, i in known.items()
        for cut in range(1, len(token))
        if token[:cut] in known and token[cut:] in known
    ]
    return [(tokens[left], tokens[right]) for _, left, right in sorted(found)]
