"""The prompt in which Qwen3-Reranker judges a document (https://huggingface.co/Qwen/Qwen3-Reranker-0.6B)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inference.worker.model.tokenizer import HubTokenizer

_BEFORE = (
    "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the "
    'Instruct provided. Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n'
)
_AFTER = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
_TASK = "Given a web search query, retrieve relevant passages that answer the query"


def answers(tokenizer: "HubTokenizer") -> tuple[int, int]:
    """The token ids of "no" and "yes"; ValueError where one of them is no token of its own."""
    found = [tokenizer.id_of(word) for word in ("no", "yes")]
    if None in found:
        raise ValueError("its tokenizer has no tokens for yes and no")
    return found[0] or 0, found[1] or 0


def frame(tokenizer: "HubTokenizer") -> tuple[list[int], list[int]]:
    """The tokens before and after what is judged."""
    return tokenizer.encode(_BEFORE), tokenizer.encode(_AFTER)


def question(tokenizer: "HubTokenizer", query: str) -> str:
    """What comes before the document; control tokens in the query are text."""
    return f"<Instruct>: {_TASK}\n<Query>: {tokenizer.quote(query)}\n<Document>: "
