"""A Hugging Face tokenizer with the methods that the worker and its adapters need."""

import json
import re
import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from inference.core.errors import InvalidValue, TemplateFailed
from inference.core.model_card import Finding
from inference.worker.model import tokenizer_round_trip
from inference.worker.rendering import template_renderer
from inference.worker.rendering.template_renderer import Rendering

_LONGEST_TEMPLATE = 256 * 1024  # characters; published templates have a tenth of it at most
_MAX_TEMPLATE_TEXT = 2**20  # characters that a template may add to the messages
_MAX_TURN_TEXT = 256  # and to each message
# Splits a special token that is written in a message. It is a noncharacter, which no text contains.
_SEPARATOR = "\ufdd0"


_OCTET = re.compile(r"<0x([0-9A-Fa-f]{2})>")  # SentencePiece's fallback for a byte


def _gpt2_alphabet() -> dict[str, bytes]:
    """The characters that stand for bytes in a byte-level vocabulary (openai/gpt-2, encoder.py)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [octet for octet in range(256) if octet not in printable]
    shifted = {chr(0x100 + place): bytes([octet]) for place, octet in enumerate(others)}
    return {chr(octet): bytes([octet]) for octet in printable} | shifted


_BYTES = _gpt2_alphabet()


class TokenPair(NamedTuple):
    """The tokens of two texts, which of the two segments each is in, and whether the second text was cut."""

    ids: tuple[int, ...]
    segments: tuple[int, ...]
    is_cut: bool


class HubTokenizer:
    """Encodes, decodes and renders the chat template; thread-safe.

    Encoding and decoding go to the Rust tokenizer directly: the wrappers around it change its padding
    state in place, which fails when another thread is using it, and clean up spaces.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.hub = tokenizer
        self._rust = tokenizer.backend_tokenizer
        # Tokenizers of embedding models are often saved with truncation and padding to 128 tokens.
        self._rust.no_truncation()
        self._rust.no_padding()
        tokenizer_round_trip.repair_decoder(self._rust)
        self.eos_id: int | None = tokenizer.eos_token_id
        vocabulary = tokenizer.get_vocab()
        self.size = 1 + max(vocabulary.values(), default=-1)  # ids may have holes
        self.longest_bytes = max(
            (len(token.encode()) for token in vocabulary), default=1
        )  # of one token's text
        added = tokenizer.added_tokens_decoder
        self.added_ids = frozenset(added)
        self.special_ids = frozenset(token for token, entry in added.items() if entry.special)
        self._added_texts: dict[int, str] = {token: entry.content for token, entry in added.items()}
        self._is_byte_level = "ByteLevel" in repr(self._rust.decoder)
        self.begin_ids = self._find_begin_ids()
        self._controls = [entry.content for entry in added.values() if _is_control(entry)]
        self._firsts = frozenset(control[0] for control in self._controls)

    def encode(self, text: str) -> list[int]:
        return [token for part in text.split(_SEPARATOR) for token in self._encode(part)]

    def quote(self, text: str) -> str:
        # Otherwise "<|im_end|>..." in a user's message would end the turn, and the text after it could
        # pose as the system's.
        if self._firsts.isdisjoint(text):
            return text
        for control in self._controls:
            while control in text:
                text = text.replace(control, control[0] + _SEPARATOR + control[1:])
        return text

    def encode_prompt(self, text: str) -> list[int]:
        """A raw prompt with one begin-of-text token if the tokenizer has one, and no end-of-text token.

        Raises InvalidValue for an empty prompt.
        """
        plain, ids = self._encode(text), self._encode(text, adds_special=True)
        if ids and ids[-1] == self.eos_id and plain[-1:] != ids[-1:]:
            ids.pop()
        # A text that begins with it already would have two, which no model has been trained on.
        if self.begin_ids and plain[: len(self.begin_ids)] == self.begin_ids:
            ids = plain
        if not ids:
            raise InvalidValue("The prompt is empty; give the model something to continue.", param="prompt")
        return ids

    def encode_whole(self, text: str, most: int | None = None) -> list[int]:
        """A text with all special tokens that the tokenizer adds, such as BERT's [CLS] and [SEP].

        A text that would be more than `most` tokens is cut at its end; the special tokens stay.
        """
        whole = self._encode(text, adds_special=True)
        if most is None or len(whole) <= most:
            return whole
        cut = self._rust.encode(text, add_special_tokens=False)
        cut.truncate(max(0, most - self._rust.num_special_tokens_to_add(False)))
        return list(self._rust.post_process(cut, add_special_tokens=True).ids)[:most]

    def encode_pair(self, first: str, second: str, most: int) -> TokenPair:
        """Two texts with the special tokens of a pair; at most `most` tokens of the second."""
        one = self._rust.encode(first, add_special_tokens=False)
        other = self._rust.encode(second, add_special_tokens=False)
        is_cut = len(other.ids) > most
        if is_cut:
            other.truncate(most)
        framed = self._rust.post_process(one, other, add_special_tokens=True)
        return TokenPair(tuple(framed.ids), tuple(framed.type_ids), is_cut)

    def pair_overhead(self, first: str) -> int:
        """How many tokens a pair with this first text has without any of its second."""
        plain = self._rust.encode(first, add_special_tokens=False)
        return len(plain.ids) + int(self._rust.num_special_tokens_to_add(True))

    def decode(self, ids: Sequence[int]) -> str:
        return str(self._rust.decode(list(ids), skip_special_tokens=False))

    def as_json(self) -> str:
        """The tokenizer in the format of tokenizer.json."""
        return str(self._rust.to_str())

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What a text loses when it is encoded and decoded."""
        return tokenizer_round_trip.findings(self._rust)

    @property
    def frame(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The special tokens that `encode_whole` puts before and after a text."""
        plain, framed = self._encode("a"), self._encode("a", adds_special=True)
        begin = len(self.begin_ids)
        return tuple(framed[:begin]), tuple(framed[begin + len(plain) :])

    def is_missing(self, token: int) -> bool:
        """Whether the vocabulary has no entry at this place."""
        return self._rust.id_to_token(token) is None

    def id_of(self, token: str) -> int | None:
        found: int | None = self._rust.token_to_id(token)
        return found

    def token_text(self, token: int) -> str:
        return str(self.hub.convert_ids_to_tokens(token))

    def token_bytes(self, token: int) -> bytes:
        """The bytes of one token, which are often not a whole character."""
        if token in self._added_texts:
            return self._added_texts[token].encode()
        text = self.token_text(token)
        if self._is_byte_level:
            return b"".join(_BYTES.get(char) or char.encode() for char in text)
        if octet := _OCTET.fullmatch(text):
            return bytes([int(octet[1], 16)])
        return text.replace("▁", " ").encode()

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        opens_answer: bool,
        tools: Sequence[Mapping[str, Any]] = (),
        options: Mapping[str, bool | int | float | str] = MappingProxyType({}),
    ) -> str:
        """See inference/adapters/tokenizer.py.

        1. Refuse a template that is too large.
        2. Render it as Hugging Face's `apply_chat_template`, by a process with limits of time and memory:
           Jinja's immutable sandbox keeps a template from Python's internals and files, but not from those.
        3. Refuse a text that is far longer than the messages, because tokenizing it would take minutes.
        """
        if len(str(self.hub.chat_template)) > _LONGEST_TEMPLATE:
            raise TemplateFailed("The model's chat template is too large to be run.", param="messages")
        try:
            template = self.hub.get_chat_template(None, list(tools) or None)
        except ValueError:  # there is none, or several and none for this case
            raise TemplateFailed("The model has no chat template for this.", param="messages") from None
        # As apply_chat_template does it: templates ask whether there is a key.
        given = [{key: value for key, value in one.items() if value is not None} for one in messages]
        tokens = {name: _plain(token) for name, token in self.hub.special_tokens_map.items()}
        variables = _dates() | tokens | dict(options)
        expected = sum(_MAX_TURN_TEXT + 2 * _length_of(part) for part in (*messages, *tools))
        rendering = Rendering(template, given, tools, opens_answer, variables, _MAX_TEMPLATE_TEXT + expected)
        try:
            return template_renderer.shared().render(rendering)
        except TemplateFailed as failure:
            raise TemplateFailed(failure.message.replace(_SEPARATOR, ""), param="messages") from None

    def _find_begin_ids(self) -> list[int]:
        plain, framed = self._encode("a"), self._encode("a", adds_special=True)
        starts = range(len(framed) - len(plain) + 1)
        return framed[: next((i for i in starts if framed[i : i + len(plain)] == plain), 0)]

    def _encode(self, text: str, *, adds_special: bool = False) -> list[int]:
        return list(self._rust.encode(text, add_special_tokens=adds_special).ids)


def _is_control(added: Any) -> bool:
    """Whether an added token is a control token; fine-tunes often do not mark their <|im_end|> as special."""
    # DeepSeek uses another bar character.
    is_marker = added.special or re.fullmatch(r"<([|｜]).+\1>", added.content, re.DOTALL)
    return bool(is_marker) and len(added.content) > 1


def _length_of(part: Any) -> int:
    return len(json.dumps(part, ensure_ascii=False))


def _dates() -> dict[str, str]:
    """Today, for templates that ask for it by a variable: Llama 3's would give a day of 2024 otherwise.

    Hugging Face gives them strftime_now alone. With the time of day, no prompt would be in the prefix cache.
    """
    today = time.localtime()
    return {"date_string": time.strftime("%d %b %Y", today), "datetime": time.strftime("%b %d %Y", today)}


def _plain(token: Any) -> str | list[str]:
    return [str(one) for one in token] if isinstance(token, list) else str(token)
