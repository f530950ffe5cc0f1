"""Prompts that no server has seen before, so that no prefix cache has an effect.

They start with a salt: two prompts have only the first tokens of the chat template in common.
"""

import secrets
from collections.abc import Mapping
from typing import Any

# Short, common words: a token each for most tokenizers.
_TEXT = (
    "the river runs past a small town where people work and talk about their long day "
    "some of them walk home under old trees while others wait for the night and a cold wind from the north"
)
_WORDS = _TEXT.split()


def short(tokens: int, *, seed: int | None = None) -> dict[str, Any]:
    """A request for a story that is longer than `tokens` tokens, its limit."""
    number = secrets.randbelow(10**8)
    prompt = f"{number:08d}: write a very long story about a traveller who has seen {number % 89 + 10} towns."
    sampling = {"temperature": 0} if seed is None else {"temperature": 0.8, "seed": seed}
    return {"messages": [user(prompt)], "max_tokens": tokens, **sampling}


def long(words: int, tokens: int) -> dict[str, Any]:
    """A request with about `words` tokens of text in it."""
    prompt = f"{salt()}: {text(words)}. Go on with this text."
    return {"messages": [user(prompt)], "max_tokens": tokens, "temperature": 0}


def salt() -> str:
    """A beginning that no server has seen."""
    return f"{secrets.randbelow(10**8):08d}"


def text(words: int) -> str:
    """So many common words, a token each for most tokenizers."""
    return " ".join(secrets.SystemRandom().choices(_WORDS, k=words))


def next_turn(before: Mapping[str, Any], answer: str) -> dict[str, Any]:
    """The same chat with the answer and one more question."""
    reply = {"role": "assistant", "content": answer}
    return {**before, "messages": [*before["messages"], reply, user("And what happened then?")]}


def user(content: str) -> dict[str, str]:
    return {"role": "user", "content": content}
