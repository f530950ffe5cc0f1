"""A Hugging Face tokenizer behind the few verbs the worker needs."""

from collections.abc import Mapping, Sequence
from typing import Any

import jinja2

from inference.errors import InvalidValue, TemplateFailed

_LONGEST_REASON = 200


class HubTokenizer:
    """Encodes, decodes and renders; safe to use from several threads.

    Encoding and decoding go to the Rust tokenizer directly: the wrappers around it change its padding
    state in place, which fails when another thread is using it.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._hub = tokenizer
        self._rust = tokenizer.backend_tokenizer
        self._vocabulary: Mapping[str, int] = tokenizer.get_vocab()
        self.eos_id: int | None = tokenizer.eos_token_id
        self.size = len(tokenizer)
        self.special_ids = frozenset(
            token for token, added in tokenizer.added_tokens_decoder.items() if added.special
        )

    def encode(self, text: str, *, adds_special: bool = False) -> list[int]:
        return list(self._rust.encode(text, add_special_tokens=adds_special).ids)

    def encode_prompt(self, text: str) -> list[int]:
        """A raw prompt with the begin-of-text token where the tokenizer has one, and never an end."""
        ids = self.encode(text, adds_special=True)
        if ids and ids[-1] == self.eos_id and self.encode(text)[-1:] != ids[-1:]:
            ids.pop()
        if not ids:
            raise InvalidValue("The prompt is empty; give the model something to continue.", param="prompt")
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        return str(self._rust.decode(list(ids), skip_special_tokens=False))

    def id_of(self, token: str) -> int | None:
        return self._vocabulary.get(token)

    def token_text(self, token: int) -> str:
        return str(self._hub.convert_ids_to_tokens(token))

    def render(self, messages: Sequence[Mapping[str, str]], *, opens_answer: bool) -> str:
        try:
            return str(
                self._hub.apply_chat_template(
                    [dict(message) for message in messages],
                    tokenize=False,
                    add_generation_prompt=opens_answer,
                )
            )
        except jinja2.TemplateError as error:
            reason = str(error).splitlines()[0][:_LONGEST_REASON] if str(error) else type(error).__name__
            raise TemplateFailed(
                f"The model's chat template cannot take these messages: {reason}", param="messages"
            ) from None
        except Exception:  # a template is a program of the model's: anything can come out of it
            raise TemplateFailed(
                "The model's chat template failed on these messages.", param="messages"
            ) from None
