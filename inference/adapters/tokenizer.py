"""The tokenizer that an adapter works with, as a protocol: adapters import neither mlx nor transformers."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol


class Tokenizer(Protocol):
    """What an adapter needs of a tokenizer; the worker's implementation wraps Hugging Face's."""

    @property
    def eos_id(self) -> int | None: ...

    @property
    def size(self) -> int:
        """One more than the highest token id."""
        ...

    @property
    def begin_ids(self) -> list[int]:
        """What a standalone text begins with: the begin-of-text token, or nothing."""
        ...

    @property
    def special_ids(self) -> frozenset[int]:
        """Tokens that are never part of a text: beginning, end, role headers."""
        ...

    @property
    def added_ids(self) -> frozenset[int]:
        """Every token outside the ordinary vocabulary, the special ones included."""
        ...

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`, with nothing added; special tokens spelled in it become these tokens."""
        ...

    def quote(self, text: str) -> str:
        """`text`, marked so that `encode` treats special tokens spelled in it as ordinary text."""
        ...

    def decode(self, ids: Sequence[int]) -> str: ...

    def id_of(self, token: str) -> int | None:
        """The id of exactly this token, or None if the vocabulary does not have it."""
        ...

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        opens_answer: bool,
        tools: Sequence[Mapping[str, Any]] = (),
        options: Mapping[str, bool | int | float | str] = MappingProxyType({}),
    ) -> str:
        """The text that the chat template renders, in a sandbox.

        `messages` and `tools` have OpenAI's structure, with arguments and schemas parsed. `opens_answer`
        renders the header of the assistant's turn, too. `options` are further variables of the template.
        Raises TemplateFailed, with the template's own error message where it has one.
        """
        ...
