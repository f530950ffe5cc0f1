"""The contract of an adapter: which tokens end an answer, how messages become a prompt, how text is read.

An adapter is plain Python over a tokenizer it is handed: nothing here imports mlx or transformers.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Protocol

from inference.adapters.channel_reader import ChannelReader, Thinking
from inference.adapters.chat_template import normalisation
from inference.adapters.chat_template.call_arguments import readable
from inference.adapters.chat_template.fill_in_middle import Infilling
from inference.adapters.chat_template.template_input import TemplateInput, Turns, variables_of
from inference.adapters.tool_calls.call_reader import CallReader
from inference.adapters.tool_calls.prompted import spoken
from inference.adapters.tool_calls.pythonic import Pythonic
from inference.adapters.tool_calls.tool_formats import FORMATS, Hermes, ToolFormat, written_by
from inference.adapters.tool_calls.xml import FunctionXml
from inference.core.errors import InvalidValue, TemplateFailed, UnsupportedField
from inference.core.requests import ChatRequest, Message, Tool, ToolCall

_PROBE = "probe-of-the-assistant-turn"
_REMINDER = "probe-of-a-later-system-message"
_ASKED = Message(role="user", content="hi")
_OPENED = (_ASKED, Message(role="assistant", content=_PROBE))
# Some templates end a turn only where the next one begins (GLM: the user's marker is the end), and some
# write the end only after the last turn, so both are asked.
_PROBES = (_OPENED, (*_OPENED, Message(role="user", content="and")))
_INSTRUCTED = (Message(role="system", content=_PROBE), _ASKED)
_REMINDING = (Message(role="system", content=_REMINDER), _ASKED)
# Templates that want turns to alternate may count a system message as an answer (Mistral Small 3.2).
_REMINDED = (*_INSTRUCTED, *_REMINDING, Message(role="assistant", content="yes"), *_REMINDING)
_REPEATED = (Message(role="user", content=_PROBE), _ASKED)
_TOOL = Tool(name="probe_of_the_tools", description="Nothing.")
_CALL = ToolCall(id="abcdefghi", name=_TOOL.name, arguments="{}")  # Mistral's ids have nine characters
# A question, a call, its result: what a family may ask its template about.
CALLED = (
    _ASKED,
    Message(role="assistant", content="", tool_calls=(_CALL,)),
    Message(role="tool", content=_PROBE, name=_TOOL.name, tool_call_id=_CALL.id),
)
# Variables of a template that are the server's to fill.
_SWITCHES = {"enable_thinking", "thinking"}  # of reasoning, under the names that templates have for it
_OURS = {"messages", "tools", "documents", "add_generation_prompt", "bos_token", "eos_token", "chat_template"}
_UNTOLD = "This model has no chat template, so it cannot be told of tools."
_UNREAD = "This model writes tool calls in a manner that is not read here yet, so it cannot be given tools."
_PROMPT_END = 16  # tokens; more than any template writes after it has opened the reasoning


class Tokenizer(Protocol):
    """What an adapter needs of a tokenizer; the worker's wraps Hugging Face's."""

    @property
    def eos_id(self) -> int | None: ...

    @property
    def size(self) -> int:
        """One more than the highest token id."""
        ...

    @property
    def begin_ids(self) -> list[int]:
        """What a text of its own begins with: the begin-of-text token, or nothing."""
        ...

    @property
    def special_ids(self) -> frozenset[int]:
        """Tokens that are never part of a text: begins, ends, headers."""
        ...

    @property
    def added_ids(self) -> frozenset[int]:
        """Every token that stands outside the ordinary vocabulary; the special ones are among them."""
        ...

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`, with nothing added; special tokens written in it become themselves."""
        ...

    def quote(self, text: str) -> str:
        """`text` marked such that `encode` takes the special tokens written in it for ordinary text."""
        ...

    def decode(self, ids: Sequence[int]) -> str: ...

    def id_of(self, token: str) -> int | None:
        """The id of exactly this token, or None when the vocabulary has no such token."""
        ...

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        opens_answer: bool,
        tools: Sequence[Mapping[str, Any]] = (),
        options: Mapping[str, bool | int | str] = MappingProxyType({}),
    ) -> str:
        """The chat template's text; `options` are variables of the template; raises TemplateFailed."""
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

    def declares(self, token: str) -> bool:
        """Whether the tokenizer's settings list this added token."""
        added = self.tokenizer_config.get("added_tokens_decoder")
        listed = added.values() if isinstance(added, Mapping) else ()
        return any(isinstance(entry, Mapping) and entry.get("content") == token for entry in listed)


class Adapter:
    """One family's ways; subclasses say when they fit and what differs.

    `stop_ids` end an answer, `hidden_ids` have no text; `call_format` is how the model writes tool calls,
    None where it cannot be asked for any. A stop token is always hidden, whether or not its tokenizer
    calls it special; a marker the reader looks for never is. `infill_stop_ids` end what is filled in.
    """

    name: ClassVar[str] = ""
    stop_tokens: ClassVar[tuple[str, ...]] = ()  # the family's own, where the vocabulary has them
    reasoning: tuple[str, str] = ("<think>", "</think>")
    thinks_untold: bool = False  # neither template nor vocabulary tells that it reasons, and it does
    answer_frame: tuple[str, ...] = ()  # two marks around the answer behind the reasoning
    tool_format: type[ToolFormat] | None = None  # None: as the template writes calls

    def __init__(self, facts: ModelFacts, tokenizer: Tokenizer) -> None:
        self._facts = facts
        self._tokenizer = tokenizer
        self._why_no_tools = ""
        self._variables = variables_of(facts.chat_template)
        self._tells_tools = self._has_place_for((_ASKED,), _TOOL.name, tools=(_TOOL,))
        self._tells_calls = self._has_place_for(CALLED, _TOOL.name, _PROBE)
        # Command R7B has a template of its own for requests with tools.
        self._tells_calls_beside_tools = self._tells_calls or self._has_place_for(
            CALLED, _TOOL.name, _PROBE, tools=(_TOOL,)
        )
        self._takes_system = self._has_place_for(_INSTRUCTED, _PROBE)
        self._takes_reminders = self._has_place_for(_REMINDED, _PROBE, _REMINDER)
        self._takes_repeats = self._has_place_for(_REPEATED, _PROBE)
        format_of = self.tool_format or written_by(facts.chat_template, (*FORMATS, FunctionXml, Pythonic))
        # Where the template knows no tools they are said in words, and calls looked for as most write them.
        self._speaks_tools = self.has_template and not self._tells_tools
        format_of = Hermes if self._speaks_tools else format_of
        self.call_format = format_of(tokenizer) if format_of and self.has_template else None
        self.stop_ids = self._find_stop_ids()
        self._infilling = Infilling.of(tokenizer)
        self.infill_stop_ids = self.stop_ids | (self._infilling.stop_ids if self._infilling else frozenset())
        self.hidden_ids = (tokenizer.special_ids - self._ids_in(self.reasoning)) | self.stop_ids

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        """Whether this adapter is for the model these facts are of."""
        return False

    @property
    def has_template(self) -> bool:
        return bool(self._facts.chat_template)

    @property
    def prompts_tools(self) -> bool:
        """Whether tools are told in words, because the chat template knows none."""
        return self._speaks_tools

    @property
    def tools_problem(self) -> str:
        """Why the model cannot be asked to call tools; empty when it can."""
        if self._why_no_tools:
            return self._why_no_tools
        if self.call_format:
            return ""
        return _UNREAD if self.has_template else _UNTOLD

    def refuse_tools(self, why: str) -> None:
        """Refuse tools from now on: the self-test found that they do not work."""
        self._why_no_tools = why

    def render(self, request: ChatRequest) -> list[int]:
        """The prompt's token ids, up to where the answer begins; raises an InvalidRequest."""
        if not self.has_template:
            raise TemplateFailed("This model has no chat template; send a prompt to /v1/completions instead.")
        self._check(request)
        tongue = TemplateInput(self._tokenizer.quote, self.call_format)
        messages: Sequence[Message] = readable(request.messages)
        if self._speaks_tools:
            messages = spoken(messages, request.tools)
        tools = () if self._speaks_tools else request.tools
        turns, functions = self.words(self.fold(messages), tools, tongue)
        options = self._options(request)
        text = self._tokenizer.render(turns, opens_answer=True, tools=functions, options=options)
        prompt = self._tokenizer.encode(text)
        if not prompt:
            raise TemplateFailed(
                "The model's chat template made nothing of these messages.", param="messages"
            )
        return prompt

    def _options(self, request: ChatRequest) -> dict[str, bool | int | str]:
        """What the template is told beside the messages."""
        switches = _SWITCHES & self._variables if request.thinking is False else ()
        return dict.fromkeys(switches, False) | dict(request.template_options)

    def fold(self, messages: Sequence[Message]) -> Sequence[Message]:
        """The messages as this family's template can take them; the template has been asked what it takes."""
        if not self._takes_system:
            messages = normalisation.without_system(messages)
        elif not self._takes_reminders:
            messages = normalisation.one_system(messages)
        return messages if self._takes_repeats else normalisation.alternating(messages)

    def words(
        self, messages: Sequence[Message], tools: Sequence[Tool], tongue: TemplateInput
    ) -> tuple[Turns, Turns]:
        """The folded messages, and the tools, as this family's template takes them."""
        turns = [tongue.turn(message) for message in messages]
        return turns, [tongue.function(tool) for tool in tools]

    def reader(self, prompt: Sequence[int], request: ChatRequest) -> ChannelReader:
        """A fresh reader for an answer to `request`, whose prompt has these token ids, and for no other."""
        calls = self._call_reader(request)
        thinking = self.thinking(prompt)
        if thinking is None:
            return ChannelReader(calls=calls)
        marks = (thinking.opening, thinking.closing)
        return ChannelReader(
            reasoning=marks,
            starts_inside=thinking.is_open,
            calls=calls,
            frame=self.answer_frame,
            # What has to follow a schema is not held to it while the model thinks.
            calls_in_thoughts=calls is not None and not (request.follows_schemas or request.schema),
        )

    def thinking(self, prompt: Sequence[int]) -> Thinking | None:
        """How an answer to this prompt may reason; None for a model that does not."""
        opening, closing = self.reasoning
        is_told = opening in self._facts.chat_template or self._tokenizer.id_of(opening) is not None
        if not (is_told or self.thinks_untold):
            return None
        # Some templates open the reasoning themselves, so the answer never says so (DeepSeek-R1#352).
        end = self._tokenizer.decode(prompt[-_PROMPT_END:]).rstrip()
        return Thinking(opening, closing, is_open=end.endswith(opening), is_over=end.endswith(closing))

    def framed(self, rule: str) -> str:
        """A rule of an llguidance grammar in what this family puts around an answer's text."""
        return rule

    def hidden_from(self, request: ChatRequest) -> frozenset[int]:
        """The tokens without text in an answer to `request`; with tools, marks of calls are read."""
        if not (request.tools and self.call_format):
            return self.hidden_ids
        return self.hidden_ids - (self._ids_of(self.call_format.marks) - self.stop_ids)

    def infill(self, prefix: str, suffix: str) -> list[int]:
        """The prompt of which the answer belongs between the two texts; raises UnsupportedField."""
        if not self._infilling:
            raise UnsupportedField(
                "This model has no tokens to fill in the middle with; leave the suffix out.", param="suffix"
            )
        return self._infilling.prompt(prefix, suffix)

    def _call_reader(self, request: ChatRequest) -> CallReader | None:
        if not (request.tools and self.call_format):
            return None
        tools = {tool.name: tool for tool in request.tools}
        is_forced = bool(request.must_call)
        return CallReader(self.call_format, tools, several=request.may_call_several, is_forced=is_forced)

    def _check(self, request: ChatRequest) -> None:
        """Refuse what the chat template would silently leave out."""
        if request.tools and self.tools_problem:
            raise UnsupportedField(self.tools_problem, param="tools")
        has_calls = any(message.tool_calls or message.role == "tool" for message in request.messages)
        tells_calls = self._tells_calls_beside_tools if request.tools else self._tells_calls
        if has_calls and not (tells_calls or self._speaks_tools):
            raise TemplateFailed(
                "This model's chat template has no place for tool calls and their results.", param="messages"
            )
        for name, _ in request.template_options:
            if name not in self._variables - _OURS:
                raise InvalidValue(
                    f"This model's chat template does not know {name}.",
                    param=name if name == "reasoning_effort" else f"chat_template_kwargs.{name}",
                )

    def _has_place_for(self, messages: Sequence[Message], *texts: str, tools: Sequence[Tool] = ()) -> bool:
        """Whether the template writes all of these texts, given the messages and tools that they are in."""
        if not self.has_template:
            return False
        turns, functions = self.words(messages, tools, TemplateInput(str))
        try:
            told = self._tokenizer.render(turns, opens_answer=True, tools=functions)
        except TemplateFailed:
            return False
        return all(text in told for text in texts)

    def _find_stop_ids(self) -> frozenset[int]:
        """The union of all who know: files of one model contradict each other, and the one that
        mlx-lm believes (generation_config) often lacks the end of turn (mlx-examples#694, vllm#4180)."""
        text_config = self._facts.config.get("text_config")
        found = {
            *_ids(self._facts.config.get("eos_token_id")),
            *_ids(text_config.get("eos_token_id") if isinstance(text_config, Mapping) else None),
            *_ids(self._facts.generation_config.get("eos_token_id")),
            *_ids(self._tokenizer.eos_id),
            *self._ids_of(self.stop_tokens),
        }
        if self._facts.chat_template:
            found |= {token for messages in _PROBES for token in self._terminator(messages)}
        return frozenset(token for token in found if 0 <= token < self._tokenizer.size)

    def _terminator(self, messages: Sequence[Message]) -> Iterator[int]:
        """The token that the template itself writes right after the assistant's turn, if it does."""
        try:
            turns, _ = self.words(messages, (), TemplateInput(str))
            text = self._tokenizer.render(turns, opens_answer=False)
        except TemplateFailed:
            return
        _, found, rest = text.rpartition(_PROBE)
        first = self._tokenizer.encode(rest.lstrip())[:1] if found else []
        yield from (token for token in first if token in self._tokenizer.added_ids)

    def _ids_in(self, marks: Iterable[str]) -> frozenset[int]:
        """The tokens of these marks; Gemma 4's <|channel>thought is a token and a word."""
        return frozenset(token for mark in marks for token in self._tokenizer.encode(mark))

    def _ids_of(self, tokens: Iterable[str]) -> frozenset[int]:
        ids = (self._tokenizer.id_of(token) for token in tokens)
        return frozenset(token for token in ids if token is not None)


def _ids(value: Any) -> list[int]:
    if type(value) is int:
        return [value]
    return [item for item in value if type(item) is int] if isinstance(value, list | tuple) else []
