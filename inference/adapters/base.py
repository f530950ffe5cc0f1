"""The interface of an adapter: which tokens end an answer, how messages become a prompt, how output is read.

An adapter is plain Python that works with the tokenizer it receives: nothing here imports mlx or
transformers.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from inference.adapters.channel_reader import ChannelReader
from inference.adapters.chat_template import normalisation
from inference.adapters.chat_template.call_arguments import with_object_arguments
from inference.adapters.chat_template.continuation import up_to_end_mark, with_end_mark
from inference.adapters.chat_template.fill_in_middle import Infilling
from inference.adapters.chat_template.template_input import TemplateInput, Turns, variables_of
from inference.adapters.chat_template.template_probes import TemplateProbes
from inference.adapters.model_facts import ModelFacts
from inference.adapters.reasoning_state import ReasoningState
from inference.adapters.stop_tokens import find_stop_ids, ids_of
from inference.adapters.thinking import ReasoningMarkers, ThinkingPlan, plan
from inference.adapters.tokenizer import Tokenizer
from inference.adapters.tool_calls.call_reader import CallReader
from inference.adapters.tool_calls.prompted import with_prompted_tools
from inference.adapters.tool_calls.pythonic import Pythonic
from inference.adapters.tool_calls.tool_format import ToolFormat
from inference.adapters.tool_calls.tool_formats import FORMATS, Hermes, detect_format
from inference.adapters.tool_calls.xml import FunctionXml
from inference.core.errors import InvalidValue, TemplateFailed, UnsupportedField
from inference.core.requests import ChatRequest, Message, Tool

# Variables that the server itself gives to a template, so that no request may.
_SERVER_VARIABLES = {
    "messages",
    "tools",
    "documents",
    "add_generation_prompt",
    "bos_token",
    "eos_token",
    "chat_template",
}
_NO_TEMPLATE = "This model has no chat template, so it cannot use tools."
_UNKNOWN_SYNTAX = "This model's tool calls have a syntax that cannot be parsed, so it cannot use tools."
_PROMPT_END = 16  # tokens; more than any template writes after it has opened the reasoning


class Adapter:
    """What is particular to one model family; subclasses declare what differs and when they apply.

    `stop_ids` end an answer and `hidden_ids` produce no text: a stop token is always hidden, whether or not
    its tokenizer marks it as special, and a marker that the reader looks for never is. `infill_stop_ids` end
    a fill-in-the-middle completion. `call_format` is the syntax of the model's tool calls, None if it cannot
    use tools.
    """

    name: ClassVar[str] = ""
    stop_tokens: ClassVar[tuple[str, ...]] = ()  # the family's own, where the vocabulary has them
    reasoning_marks: tuple[str, str] = ("<think>", "</think>")
    reasons_without_marker: bool = False  # neither template nor vocabulary has the marker, and it reasons
    answer_marks: tuple[str, ...] = ()  # two markers around the answer that follows the reasoning
    tool_format: type[ToolFormat] | None = None  # None: detected from the template

    def __init__(self, facts: ModelFacts, tokenizer: Tokenizer) -> None:
        self._facts = facts
        self._tokenizer = tokenizer
        self._tools_refusal = ""
        self._variables = variables_of(facts.chat_template)
        self._in_parts = False  # whether the template takes lists of parts alone
        self._probes = self._probed()
        self.call_format = self._make_call_format()
        ends = self._probes.texts_after_answer()
        self.stop_ids = find_stop_ids(facts, tokenizer, self.stop_tokens, ends)
        self._infilling = Infilling.of(tokenizer)
        self.infill_stop_ids = self.stop_ids | (self._infilling.stop_ids if self._infilling else frozenset())
        self.hidden_ids = (tokenizer.special_ids - self._ids_in(self.reasoning_marks)) | self.stop_ids

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        """Whether this adapter is for the model with these files."""
        return False

    @property
    def has_template(self) -> bool:
        return bool(self._facts.chat_template)

    @property
    def prompts_tools(self) -> bool:
        """Whether the system message describes tools, because the chat template does not render any."""
        return self.has_template and not self._probes.renders_tools

    @property
    def tools_problem(self) -> str:
        """Why the model cannot use tools; empty if it can."""
        if self._tools_refusal:
            return self._tools_refusal
        if self.call_format:
            return ""
        return _UNKNOWN_SYNTAX if self.has_template else _NO_TEMPLATE

    def refuse_tools(self, reason: str) -> None:
        """Refuse tools from now on: the self-test found that they do not work."""
        self._tools_refusal = reason

    @property
    def can_reason(self) -> bool:
        """Whether the model's answers may have reasoning, by its template and its vocabulary."""
        opening = self.reasoning_marks[0]
        is_declared = opening in self._facts.chat_template or self._tokenizer.id_of(opening) is not None
        return is_declared or self.reasons_without_marker

    def thinking_plan(self, request: ChatRequest) -> ThinkingPlan:
        """How the request's wishes about thinking are followed."""
        return plan(request, self._facts.chat_template, self._variables, can_reason=self.can_reason)

    def reasoning_markers(self, request: ChatRequest) -> ReasoningMarkers:
        """What surrounds the reasoning in an answer to `request`."""
        return ReasoningMarkers(*self.reasoning_marks)

    def noted(self, request: ChatRequest) -> tuple[str, ...]:
        """The request's fields that this model has no use for."""
        unknown = (name for name, _ in request.template_options if name not in self._variables)
        return (*self.thinking_plan(request).noted, *(f"chat_template_kwargs.{name}" for name in unknown))

    def render(self, request: ChatRequest, expand: Callable[[str], str] = str) -> list[int]:
        """The prompt's token ids, up to where the answer begins.

        1. Refuse what the template would leave out silently.
        2. Make the arguments of earlier calls JSON objects.
        3. Write tools, calls and results as text, if the template does not render tools.
        4. Normalise the messages for the restrictions of the template.
        5. Convert them to the template's structure, with every control token quoted.
        6. Render the template in its sandbox. `expand` may write more in place of parts that were rendered,
           such as pictures. Tokenize the text. If the last message is continued, the text ends with it.

        Raises UnsupportedField for tools that the model cannot use, InvalidValue for a variable that the
        server sets, and TemplateFailed if there is no template or it cannot render the messages.
        """
        if not self.has_template:
            raise TemplateFailed("This model has no chat template; send a prompt to /v1/completions instead.")
        self._check(request)
        messages: Sequence[Message] = with_object_arguments(request.messages)
        if request.continues:
            messages = [*messages[:-1], with_end_mark(messages[-1])]
        if self.prompts_tools:
            messages = with_prompted_tools(messages, request.tools)
        tools = () if self.prompts_tools else request.tools
        template_input = TemplateInput(self._tokenizer.quote, self.call_format, in_parts=self._in_parts)
        turns, functions = self.template_messages(self.normalise(messages), tools, template_input)
        options = self._options(request)
        opens_answer = request.opens_answer and not request.continues
        text = self._tokenizer.render(turns, opens_answer=opens_answer, tools=functions, options=options)
        if request.continues:
            text = up_to_end_mark(text)
        prompt = self._tokenizer.encode(expand(text))
        if not prompt:
            raise TemplateFailed(
                "The model's chat template rendered these messages as an empty prompt.", param="messages"
            )
        return prompt

    def _options(self, request: ChatRequest) -> dict[str, bool | int | float | str]:
        """Variables of the template beside messages and tools."""
        known = {name: value for name, value in request.template_options if name in self._variables}
        return {**known, **self.thinking_plan(request).options}

    def normalise(self, messages: Sequence[Message]) -> Sequence[Message]:
        """The messages without what this template was found not to accept."""
        if not self._probes.accepts_system:
            messages = normalisation.without_system(messages)
        elif not self._probes.accepts_later_system:
            messages = normalisation.one_system(messages)
        return messages if self._probes.accepts_consecutive_roles else normalisation.alternating(messages)

    def template_messages(
        self, messages: Sequence[Message], tools: Sequence[Tool], template_input: TemplateInput
    ) -> tuple[Turns, Turns]:
        """The normalised messages, and the tools, in the structure that this family's template expects."""
        turns = [template_input.turn(message) for message in messages]
        return turns, [template_input.function(tool) for tool in tools]

    def reader(self, prompt: Sequence[int], request: ChatRequest) -> ChannelReader:
        """A new reader of one answer to `request`; `prompt` has the token ids that `render` returned."""
        calls = self._call_reader(request)
        state = self.reasoning_state(prompt, request)
        if state is None:
            return ChannelReader(calls=calls)
        return ChannelReader(
            reasoning=(state.opening, state.closing),
            starts_inside=state.is_open,
            calls=calls,
            answer_marks=self.answer_marks,
            # A schema is not enforced inside the reasoning, so a call that has to follow one cannot be there.
            reads_calls_in_reasoning=calls is not None
            and not (request.follows_schemas or request.schema or request.grammar),
        )

    def reasoning_state(
        self, prompt: Sequence[int], request: ChatRequest | None = None
    ) -> ReasoningState | None:
        """How an answer to the prompt with these token ids may reason; None for a model that does not.

        The request says whether the prompt ends inside reasoning that is continued.
        """
        opening, closing = self.reasoning_marks
        if not self.can_reason:
            return None
        if request and request.continues:
            is_inside = not request.messages[-1].content
            return ReasoningState(opening, closing, is_open=is_inside, is_closed=not is_inside)
        # Some templates open the reasoning themselves, so the answer never does
        # (https://github.com/deepseek-ai/DeepSeek-R1/issues/352).
        end = self._tokenizer.decode(prompt[-_PROMPT_END:]).rstrip()
        return ReasoningState(
            opening, closing, is_open=end.endswith(opening), is_closed=end.endswith(closing)
        )

    def answer_rule(self, rule: str) -> str:
        """A rule of an llguidance grammar, with what this family writes around the text of an answer."""
        return rule

    def hidden_from(self, request: ChatRequest) -> frozenset[int]:
        """The tokens without text in an answer to `request`; with tools, the markers of calls have text."""
        if not (request.tools and self.call_format):
            return self.hidden_ids
        return self.hidden_ids - (self._ids_of(self.call_format.marks) - self.stop_ids)

    def infill(self, prefix: str, suffix: str) -> list[int]:
        """Token ids of the prompt for a text between `prefix` and `suffix`; raises UnsupportedField."""
        if not self._infilling:
            raise UnsupportedField(
                "This model has no tokens to fill in the middle with; leave the suffix out.", param="suffix"
            )
        return self._infilling.prompt(prefix, suffix)

    def _make_call_format(self) -> ToolFormat | None:
        """The family's format, or the one in which the template writes calls.

        If tools are described in the system message, calls are in Hermes's format, which that text asks for.
        """
        if not self.has_template:
            return None
        formats = (*FORMATS, FunctionXml, Pythonic)
        format_class = self.tool_format or detect_format(self._facts.chat_template, formats)
        format_class = Hermes if self.prompts_tools else format_class
        return format_class(self._tokenizer) if format_class else None

    def _call_reader(self, request: ChatRequest) -> CallReader | None:
        if not (request.tools and self.call_format):
            return None
        tools = {tool.name: tool for tool in request.tools}
        is_forced = bool(request.must_call)
        return CallReader(self.call_format, tools, several=request.may_call_several, is_forced=is_forced)

    def _check(self, request: ChatRequest) -> None:
        """Refuse what the chat template would silently leave out.

        Raises UnsupportedField for tools, TemplateFailed for calls and results, InvalidValue for options.
        """
        if request.tools and self.tools_problem:
            raise UnsupportedField(self.tools_problem, param="tools")
        has_calls = any(message.tool_calls or message.role == "tool" for message in request.messages)
        probes = self._probes
        renders_calls = probes.renders_calls_with_tools if request.tools else probes.renders_calls
        if has_calls and not (renders_calls or self.prompts_tools):
            raise TemplateFailed(
                "This model's chat template does not render tool calls and their results.", param="messages"
            )
        for name, _ in request.template_options:
            if name in _SERVER_VARIABLES:
                raise InvalidValue(
                    f"The server itself sets the template's variable {name}.",
                    param=f"chat_template_kwargs.{name}",
                )

    def _probed(self) -> TemplateProbes:
        """What the template supports, given texts, or given lists of parts if it writes no text."""
        probes = TemplateProbes(self._rendered)
        if probes.renders_text or not self.has_template:
            return probes
        self._in_parts = True
        of_parts = TemplateProbes(self._rendered)
        self._in_parts = of_parts.renders_text
        return of_parts if self._in_parts else probes

    def _rendered(
        self, messages: Sequence[Message], tools: Sequence[Tool] = (), *, opens_answer: bool = True
    ) -> str:
        """The text that the template renders for messages that are not normalised; raises TemplateFailed."""
        if not self.has_template:
            raise TemplateFailed("This model has no chat template.")
        turns, functions = self.template_messages(
            messages, tools, TemplateInput(str, in_parts=self._in_parts)
        )
        return self._tokenizer.render(turns, opens_answer=opens_answer, tools=functions)

    def _ids_in(self, marks: Iterable[str]) -> frozenset[int]:
        """The tokens of these markers; Gemma 4's <|channel>thought is a token and a word."""
        return frozenset(token for mark in marks for token in self._tokenizer.encode(mark))

    def _ids_of(self, tokens: Iterable[str]) -> frozenset[int]:
        return ids_of(self._tokenizer, tokens)
