"""Compiles the grammar of a request: its JSON schema, the calls of its tools, or either.

https://github.com/guidance-ai/llguidance/blob/main/docs/syntax.md describes the Lark dialect.
"""

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from llguidance import LLMatcher, LLParserLimits, LLTokenizer
from msgspec import structs

from inference.adapters import Adapter
from inference.adapters.tool_calls.grammar_rules import Unwritable
from inference.adapters.tool_calls.object_shapes import TooManyShapes
from inference.adapters.tool_calls.tool_format import ToolFormat
from inference.core.errors import InvalidValue, UnsupportedField
from inference.core.requests import ChatRequest, GenerationRequest, Tool
from inference.worker.sampling.answer_grammar import form_rule
from inference.worker.sampling.enforceable_schema import MOST_BYTES
from inference.worker.sampling.grammar import Grammar
from inference.worker.sampling.grammar_dead_ends import COMPLEX, dead_end
from inference.worker.sampling.grammar_errors import first_line, reason_for
from inference.worker.sampling.requested_schemas import (
    FORM,
    as_chat,
    field_of,
    partial_fields,
    plain_schema,
    schemas_of,
    with_enforceable_schemas,
)

if TYPE_CHECKING:
    from inference.worker.model.loaded_model import LoadedModel

_ANY_OBJECT = '{"type":"object"}'
_CACHE_SIZE = 32  # compiled grammars, for the next request with the same schema
_LIMITS = LLParserLimits()  # its defaults: half a second to compile at most, a hundredth for a token


class GrammarCompiler:
    """Compiles the grammars of one model's requests and caches the latest. Used on the prompt thread only.

    Compiling a grammar has these steps:

    1. Find out where the reasoning ends and whether free text comes before the grammar.
    2. Write the grammar in llguidance's Lark; an equal one is taken from the cache.
    3. Refuse schemas that are too large or that lead to a dead end (grammar_dead_ends.py).
    4. Compile it, and try the first object: some grammars become too complex only there.
    """

    def __init__(self, model: "LoadedModel") -> None:
        self._model = model
        self._adapter: Adapter = model.adapter
        self._vocabulary: LLTokenizer | None = None
        self._compiled: OrderedDict[str, LLMatcher] = OrderedDict()
        self._inputs: OrderedDict[tuple[str, str, str], bool] = OrderedDict()  # whether each can be enforced

    def of(self, request: GenerationRequest, prompt: Sequence[int]) -> Grammar | None:
        """The grammar of the answers to `request`; None for free text.

        Raises InvalidValue or UnsupportedField, with the field whose schema cannot be enforced.
        """
        request = self._with_enforceable_inputs(as_chat(request))
        if _is_free(request) and not request.follows_schemas:
            return None
        self._check_can_end(request)
        request = with_enforceable_schemas(request)
        is_free = _is_free(request)
        reasoning = self._adapter.reasoning_state(prompt, request) if request.messages else None
        if is_free and self._adapter.call_format and self._adapter.call_format.is_in_reasoning:
            reasoning = None  # its marker begins a call in the reasoning, too
        may_open = reasoning and not (reasoning.is_open or reasoning.is_closed)
        opening = self._model.tokenizer.id_of(reasoning.opening) if reasoning and may_open else None
        comes_after_reasoning = bool(reasoning and (reasoning.is_open or opening is not None))
        return Grammar(
            matcher=self._continued(
                request, self._matcher(request, comes_after_reasoning=comes_after_reasoning and not is_free)
            ),
            decode=self._model.tokenizer.decode,
            encode=partial(self._llguidance().tokenize_str, parse_special=True),
            stop_ids=self._model.stop_ids,
            opening=opening,
            closing=reasoning.closing if reasoning else "",
            starts_inside=bool(reasoning and reasoning.is_open),
            trigger=self._trigger(is_free),
            names=self._names(request) if is_free else (),
            field=field_of(request),
        )

    def _continued(self, request: ChatRequest, matcher: LLMatcher) -> LLMatcher:
        """The matcher after the text of a last message that is continued."""
        begun = request.messages[-1].content if request.continues else ""
        if not begun or _is_free(request):
            return matcher
        advanced, tokens = matcher.deep_copy(), self._llguidance().tokenize_str(begun)
        if advanced.try_consume_tokens(tokens) < len(tokens):
            raise InvalidValue(
                "The last message does not begin an answer in the requested format.",
                param=f"messages.{len(request.messages) - 1}.content",
            )
        return advanced

    def best_effort(self, given: GenerationRequest) -> tuple[str, ...]:
        """The fields with a schema, or with the grammar of a custom tool, that is not enforced as a whole.

        `tools`, if a call is known by its beginning alone: then it may be written so that it is not.
        """
        request = as_chat(given)
        tools = ("tools",) if self._is_found_by_names(request) else ()
        return (*tools, *partial_fields(request)) + tuple(
            f"tools.{position}.function.parameters"
            for position, tool in enumerate(request.tools)
            if tool.input_definition and not self._can_enforce_input(request, tool)
        )

    def _with_enforceable_inputs(self, request: ChatRequest) -> ChatRequest:
        """The request without grammars of inputs that cannot be enforced, and held to the others.

        Where only these ask for a grammar, the arguments of the other tools may be any object.
        """
        if not any(tool.input_definition for tool in request.tools):
            return request
        tools = tuple(self._enforceable(request, tool) for tool in request.tools)
        is_held = request.follows_schemas or not _is_free(request)
        if is_held or not any(tool.input_definition for tool in tools):
            return structs.replace(request, tools=tools)
        free = tuple(
            tool if tool.input_definition else structs.replace(tool, parameters=_ANY_OBJECT) for tool in tools
        )
        return structs.replace(request, tools=free, follows_schemas=True)

    def _enforceable(self, request: ChatRequest, tool: Tool) -> Tool:
        if not tool.input_definition or self._can_enforce_input(request, tool):
            return tool
        return structs.replace(tool, input_syntax="", input_definition="")

    def _can_enforce_input(self, request: ChatRequest, tool: Tool) -> bool:
        """Whether calls hold the tool's input as JSON and differ from text, and its grammar compiles."""
        call_format = self._adapter.call_format
        is_unmarked = call_format is not None and call_format.is_bare and _is_free(request)
        if call_format is None or call_format.is_parsed_whole or is_unmarked:
            return False
        if not self._model.stop_ids:
            return False
        key = (tool.name, tool.input_syntax, tool.input_definition)
        if key not in self._inputs:
            self._inputs[key] = self._compiles(call_format, tool)
            while len(self._inputs) > _CACHE_SIZE:
                self._inputs.popitem(last=False)
        return self._inputs[key]

    def _compiles(self, call_format: ToolFormat, tool: Tool) -> bool:
        try:
            lark = call_format.lark([tool], several=False)
        except (Unwritable, RecursionError):
            return False
        return not self._compile(LLMatcher.grammar_from_lark(lark)).is_error()

    def _check_can_end(self, request: ChatRequest) -> None:
        if not self._model.stop_ids:
            raise UnsupportedField(
                "This model has no known stop token, so an answer cannot end with its schema.",
                param="response_format" if request.schema or request.grammar else "tool_choice",
            )

    def _trigger(self, is_free: bool) -> str:
        """The marker of a call in an answer that is free before it; empty where the format has none."""
        call_format = self._adapter.call_format
        return call_format.begin if is_free and call_format and not call_format.is_bare else ""

    def _names(self, request: ChatRequest) -> tuple[str, ...]:
        """How the beginning of a call without a marker names each tool."""
        if not self._is_found_by_names(request):
            return ()
        return tuple(form for tool in request.tools for form in (json.dumps(tool.name), f".{tool.name} "))

    def _is_found_by_names(self, request: ChatRequest) -> bool:
        """Whether calls begin like any text, so that the grammar begins where one names a tool."""
        call_format = self._adapter.call_format
        return bool(_is_free(request) and request.follows_schemas and call_format and call_format.is_bare)

    def _matcher(self, request: ChatRequest, *, comes_after_reasoning: bool) -> LLMatcher:
        text = self._lark_grammar(request, "/[ \\n]{0,4}/ " if comes_after_reasoning else "")
        if text in self._compiled:
            self._compiled.move_to_end(text)
            return self._compiled[text]
        self._check(request)
        matcher = self._compile(LLMatcher.grammar_from_lark(text))
        if matcher.is_error():
            raise self._compile_error(request, matcher.get_error())
        self._compiled[text] = matcher
        if len(self._compiled) > _CACHE_SIZE:
            self._compiled.popitem(last=False)
        return matcher

    def _lark_grammar(self, request: ChatRequest, before: str) -> str:
        try:
            return self._lark_text(request, before)
        except (Unwritable, TooManyShapes) as error:
            raise InvalidValue(
                f"The schema cannot be enforced: {error}.", param=self._unwritable(request)
            ) from error
        except RecursionError:  # thousands of references, each to the next one
            raise InvalidValue(COMPLEX, param=field_of(request)) from None

    def _unwritable(self, request: ChatRequest) -> str:
        """The field of the first tool whose arguments the model's call format cannot express."""
        for position, tool in enumerate(request.tools):
            try:
                self._lark_text(structs.replace(request, tools=(tool,), must_call=(tool.name,)), "")
            except (Unwritable, TooManyShapes):
                return f"tools.{position}.function.parameters"
        return "tools"

    def _lark_text(self, request: ChatRequest, before: str) -> str:
        """The grammar in llguidance's Lark: a JSON text that follows the schema, a call, or either."""
        rules, starts = [], []
        if request.schema and not request.must_call:
            rules += [f"schema: {before}json", f"json: %json {plain_schema(request.schema)}"]
            starts.append(self._framed(request, "schema"))
        if request.grammar and not request.must_call:
            rules += [f"answer: {before}form", form_rule(request.grammar, FORM)]
            starts.append(self._framed(request, "answer"))
        if request.tools and self._adapter.call_format:
            names = request.must_call or tuple(tool.name for tool in request.tools)
            tools = [tool for tool in request.tools if tool.name in names]
            calls = self._adapter.call_format.lark(tools, request.may_call_several)
            rules.append(calls.replace("start:", "calls:", 1).rstrip())
            starts.append("calls")
        return "\n".join([f"start: {' | '.join(starts)}", *rules]) + "\n"

    def _framed(self, request: ChatRequest, rule: str) -> str:
        """The rule with what the family writes around an answer; a raw one has nothing around it."""
        return self._adapter.answer_rule(rule) if request.messages else rule

    def _compile(self, grammar: str) -> LLMatcher:
        vocabulary = self._llguidance()
        matcher = LLMatcher(vocabulary, grammar, log_level=0, limits=_LIMITS)
        if matcher.is_error():
            return matcher
        # Some grammars are too complex only where the first object begins: fail now and not in the answer.
        trial = matcher.deep_copy()
        trial.consume_tokens(trial.compute_ff_tokens())
        trial.try_consume_tokens(vocabulary.tokenize_str("{"))
        trial.compute_bitmask()
        return trial if trial.is_error() else matcher

    def _llguidance(self) -> LLTokenizer:
        # Takes half a second, so it is made for the first request with a grammar.
        if self._vocabulary is None:
            self._vocabulary = LLTokenizer(
                self._model.tokenizer.as_json(),
                n_vocab=self._model.vocab_size,
                eos_token=sorted(self._model.stop_ids),
            )
        return self._vocabulary

    def _check(self, request: ChatRequest) -> None:
        """Raise InvalidValue for a schema that is too large or leads to a dead end."""
        for field, schema in schemas_of(request):
            if len(schema) > MOST_BYTES:
                raise InvalidValue(
                    f"The schema has {len(schema)} bytes; at most {MOST_BYTES} are enforced.", param=field
                )
            if problem := dead_end(json.loads(schema), self._can_continue):
                raise InvalidValue(problem, param=field)

    def _can_continue(self, schema: Mapping[str, Any], begun: str) -> bool:
        """Whether an answer that begins with `begun` can go on to follow the schema."""
        vocabulary, grammar = self._llguidance(), f"start: %json {json.dumps(schema)}\n"
        trial = LLMatcher(vocabulary, LLMatcher.grammar_from_lark(grammar), log_level=0, limits=_LIMITS)
        if trial.is_error():
            return True  # too complex to be tried
        trial.try_consume_tokens(vocabulary.tokenize_str(begun))
        return any(trial.compute_bitmask()) and not trial.is_error()

    def _compile_error(self, request: ChatRequest, error: str) -> InvalidValue:
        """The error, with the field whose schema fails alone; otherwise all schemas together are too much."""
        fields = schemas_of(request)
        if request.grammar and not request.must_call:
            form = f"start: form\n{form_rule(request.grammar, FORM)}\n"
            if problem := LLMatcher.validate_grammar(LLMatcher.grammar_from_lark(form)):
                return InvalidValue(f"The format cannot be enforced: {first_line(problem)}", param=FORM)
        for field, schema in fields:
            alone = self._compile(LLMatcher.grammar_from_lark(f"start: %json {plain_schema(schema)}\n"))
            if alone.is_error():
                return InvalidValue(reason_for(alone.get_error()), param=field)
        return InvalidValue(reason_for(error), param=fields[0][0] if fields else FORM)


def _is_free(request: ChatRequest) -> bool:
    """Whether an answer may be any text: it has no form, and no call is required."""
    return not (request.schema or request.grammar or request.must_call)
