"""The contract of an adapter: which tokens end an answer, how messages become a prompt, how text is read.

An adapter is plain Python over a tokenizer it is handed: nothing here imports mlx or transformers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from inference.adapters.reader import Reader
from inference.errors import TemplateFailed
from inference.types import Message

_PROBE = "probe-of-the-assistant-turn"
_PROBED_TOKENS = 4


class Tokenizer(Protocol):
    """What an adapter needs of a tokenizer; the worker's wraps Hugging Face's."""

    @property
    def eos_id(self) -> int | None: ...

    @property
    def size(self) -> int:
        """How many token ids there are."""
        ...

    @property
    def special_ids(self) -> frozenset[int]: ...

    def encode(self, text: str, *, adds_special: bool = False) -> list[int]:
        """Token ids of `text`; special tokens written in it become themselves."""
        ...

    def id_of(self, token: str) -> int | None:
        """The id of exactly this token, or None when the vocabulary has no such token."""
        ...

    def render(self, messages: Sequence[Mapping[str, str]], *, opens_answer: bool) -> str:
        """The chat template's text; raises TemplateFailed."""
        ...


@dataclass(frozen=True)
class ModelFacts:
    """A model folder's small files, as detection and stop tokens need them."""

    config: Mapping[str, Any] = field(default_factory=dict)
    generation_config: Mapping[str, Any] = field(default_factory=dict)
    tokenizer_config: Mapping[str, Any] = field(default_factory=dict)
    chat_template: str = ""

    @property
    def model_type(self) -> str:
        return str(self.config.get("model_type", ""))


class Adapter:
    """One family's ways; subclasses say when they fit and which stop tokens they add."""

    name: ClassVar[str] = "default"
    stop_tokens: ClassVar[tuple[str, ...]] = ()

    def __init__(self, facts: ModelFacts, tokenizer: Tokenizer) -> None:
        self._facts = facts
        self._tokenizer = tokenizer
        self.stop_ids = self._find_stop_ids()

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        """Whether this adapter is for the model these facts are of."""
        return False

    def render(self, messages: Sequence[Message]) -> list[int]:
        """The prompt's token ids, up to where the answer begins; raises TemplateFailed."""
        if not self._facts.chat_template:
            raise TemplateFailed("This model has no chat template; send a prompt to /v1/completions instead.")
        turns = [{"role": message.role, "content": message.content} for message in self.fold(messages)]
        # The template writes the begin-of-text token itself.
        return self._tokenizer.encode(self._tokenizer.render(turns, opens_answer=True))

    def fold(self, messages: Sequence[Message]) -> Sequence[Message]:
        """The messages as this family's template can take them."""
        return messages

    def reader(self, prompt: Sequence[int]) -> Reader:
        """A fresh reader for the answer to `prompt`."""
        if "<think>" not in self._facts.chat_template and self._tokenizer.id_of("<think>") is None:
            return Reader()
        opening = self._tokenizer.encode("<think>")
        tail = list(prompt[-len(opening) - 2 :])
        starts_inside = any(tail[i : i + len(opening)] == opening for i in range(len(tail)))
        return Reader(reasoning=("<think>", "</think>"), starts_inside=starts_inside)

    def _find_stop_ids(self) -> frozenset[int]:
        """The union of all who know: files of one model contradict each other, and the one that
        mlx-lm believes (generation_config) often lacks the end of turn (mlx-examples#694, vllm#4180)."""
        found = {
            *_ids(self._facts.config.get("eos_token_id")),
            *_ids(self._facts.generation_config.get("eos_token_id")),
            *_ids(self._tokenizer.eos_id),
            *(i for token in self.stop_tokens if (i := self._tokenizer.id_of(token)) is not None),
            *self._probe_terminator(),
        }
        return frozenset(token for token in found if 0 <= token < self._tokenizer.size)

    def _probe_terminator(self) -> Iterable[int]:
        """The special token that the template itself writes after an assistant's turn."""
        if not self._facts.chat_template:
            return
        turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": _PROBE}]
        try:
            text = self._tokenizer.render(turns, opens_answer=False)
        except TemplateFailed:
            return
        _, found, tail = text.rpartition(_PROBE)
        if found:
            first = self._tokenizer.encode(tail)[:_PROBED_TOKENS]
            yield from [token for token in first if token in self._tokenizer.special_ids][:1]


def _ids(value: Any) -> list[int]:
    if type(value) is int:
        return [value]
    return [item for item in value if type(item) is int] if isinstance(value, list | tuple) else []
