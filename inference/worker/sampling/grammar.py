"""Answers that have to follow a schema or be a call: which tokens may come next, as llguidance tells.

https://github.com/guidance-ai/llguidance - a grammar is compiled once for a request, on the prompt thread;
each sequence follows a copy of its own on the engine's thread. It starts where the reasoning ends.
"""

import json
import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import mlx.core as mx
import numpy as np
from llguidance import LLMatcher, LLParserLimits, LLTokenizer
from msgspec import structs

from inference.adapters import Adapter
from inference.adapters.tool_calls.grammar_rules import PLAIN, Unwritable
from inference.adapters.tool_calls.object_shapes import TooManyShapes
from inference.core.errors import InvalidValue, UnsupportedField
from inference.core.requests import ChatRequest
from inference.worker.sampling.grammar_dead_ends import COMPLEX, dead_end

if TYPE_CHECKING:
    from inference.worker.model.loading import LoadedModel

logger = logging.getLogger(__name__)
MOST_BYTES = 120_000  # of one schema, as OpenAI has it
_SCHEMA = "response_format.json_schema.schema"
_CACHE_SIZE = 32  # compiled grammars, for the next request with the same schema
_TAIL = 48  # tokens; no mark of reasoning or calls is written in more, not even byte by byte
_KEYWORDS = re.compile(r"Unimplemented keys: \[(.*)\]")
_DEAD_END = (
    "The answer has come to a place where nothing follows the schema: it contradicts itself there, or has "
    "become too complex to be enforced. Make it smaller or plainer."
)
_LIMITS = LLParserLimits()  # its defaults: half a second to compile at most, a hundredth for a token

Allowed = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class GrammarFailure:
    """Why an answer cannot follow its grammar any further, and which field asked for it."""

    message: str
    param: str


@dataclass(frozen=True)
class Grammar:
    """What one request's answers must follow, and where it starts; `begin` gives each answer its own."""

    matcher: LLMatcher
    decode: Callable[[Sequence[int]], str]
    encode: Callable[[str], list[int]]
    stop_ids: frozenset[int] = frozenset()  # that may not end the reasoning
    opening: int | None = None  # the token with which the answer may open its reasoning first
    closing: str = ""  # what ends the reasoning
    starts_inside: bool = False  # the prompt has opened it
    trigger: str = ""  # the text is free up to this mark of a call
    field: str = ""  # of the request, that asks for it

    def start(self, answered: Sequence[int] = ()) -> "GrammarMatcher":
        matcher = GrammarMatcher(self)
        for token in answered:
            matcher.consume(token)
        return matcher


class GrammarMatcher:
    """Follows one answer: through its reasoning, through free text up to a call's mark, then its grammar.

    Neither `take` nor `allowed` raises: all sequences share a step. Where nothing may follow, or the grammar
    has become too complex, only the end may, and `failure` says why.
    """

    def __init__(self, grammar: Grammar) -> None:
        self.failure: GrammarFailure | None = None
        self._grammar = grammar
        self._matcher = grammar.matcher.deep_copy()
        self._is_reasoning = grammar.starts_inside
        self._is_free = bool(grammar.trigger)
        self._is_first_token = True
        self._tail: list[int] = []

    def consume(self, token: int) -> None:
        """The answer's next token."""
        if self.failure:
            return
        if self._is_first_token and token == self._grammar.opening:
            self._is_reasoning = True
        elif self._is_reasoning:
            self._read_reasoning(token)
        elif self._is_free:
            self._read_free_text(token)
        else:
            self._matcher.consume_token(token)
        self._is_first_token = False

    def allowed_tokens(self, vocabulary: int) -> Allowed | None:
        """Whether each token may come next, shape (vocabulary,), None for all."""
        if self.failure:
            return self._end_only(vocabulary)
        if self._is_reasoning:
            return self._reasoning_mask(vocabulary)
        if self._is_free:
            return None
        bits = np.frombuffer(self._matcher.compute_bitmask(), np.uint8)
        allowed = np.unpackbits(bits, bitorder="little")[:vocabulary].astype(np.bool_)
        if self._matcher.is_error() or not allowed.any():
            logger.warning("An answer cannot follow its grammar: %s", _first_line(self._matcher.get_error()))
            self.failure = GrammarFailure(_DEAD_END, self._grammar.field)
            return self._end_only(vocabulary)
        if self._is_first_token and self._grammar.opening is not None:
            allowed[self._grammar.opening] = True
        return allowed

    def _end_only(self, vocabulary: int) -> Allowed:
        allowed = np.zeros(vocabulary, np.bool_)
        allowed[list(self._grammar.stop_ids)] = True
        return allowed

    def _reasoning_mask(self, vocabulary: int) -> Allowed | None:
        if self._is_free:
            return None
        allowed = np.ones(vocabulary, np.bool_)
        allowed[list(self._grammar.stop_ids)] = False  # an answer of thoughts only would follow nothing
        return allowed

    def _read_reasoning(self, token: int) -> None:
        rest = self._text_after(self._grammar.closing, token)
        if rest is None:
            return
        self._is_reasoning = False
        # A token that closes the reasoning may hold the beginning of the answer, too.
        self._tail = [token] if rest else []
        if rest.strip() and not self._is_free:
            self._matcher.consume_tokens(self._grammar.encode(rest.lstrip()))

    def _read_free_text(self, token: int) -> None:
        rest = self._text_after(self._grammar.trigger, token)
        if rest is not None:
            self._is_free = False
            self._matcher.consume_tokens(self._grammar.encode(self._grammar.trigger + rest))

    def _text_after(self, mark: str, token: int) -> str | None:
        """The text behind `mark`, once it has come with this token."""
        self._tail = [*self._tail, token][-_TAIL:]
        _, found, rest = self._grammar.decode(self._tail).rpartition(mark)
        return rest if found else None


class GrammarCompiler:
    """Compiles what requests of one model ask for, and keeps the last few. One thread's."""

    def __init__(self, model: "LoadedModel") -> None:
        self._model = model
        self._adapter: Adapter = model.adapter
        self._vocabulary: LLTokenizer | None = None
        self._compiled: OrderedDict[str, LLMatcher] = OrderedDict()

    def of(self, request: ChatRequest, prompt: Sequence[int]) -> Grammar | None:
        """What the answers to `request` must follow, None for free text; raises an InvalidRequest."""
        if not (request.schema or request.must_call or request.follows_schemas):
            return None
        self._check_can_end(request)
        is_free = not (request.schema or request.must_call)
        thinking = self._adapter.thinking(prompt)
        if is_free and self._adapter.call_format and self._adapter.call_format.is_in_thoughts:
            thinking = None  # wherever its mark comes is a call
        may_open = thinking and not (thinking.is_open or thinking.is_over)
        opening = self._model.tokenizer.id_of(thinking.opening) if thinking and may_open else None
        is_behind = bool(thinking and (thinking.is_open or opening is not None))
        return Grammar(
            matcher=self._matcher(request, is_behind=is_behind and not is_free),
            decode=self._model.tokenizer.decode,
            encode=partial(self._llguidance().tokenize_str, parse_special=True),
            stop_ids=self._model.stop_ids,
            opening=opening,
            closing=thinking.closing if thinking else "",
            starts_inside=bool(thinking and thinking.is_open),
            trigger=self._trigger(request) if is_free else "",
            field=_field(request),
        )

    def _check_can_end(self, request: ChatRequest) -> None:
        if not self._model.stop_ids:
            raise UnsupportedField(
                "No token is known to end this model's answers, so none can be made to end with its schema.",
                param="response_format" if request.schema else "tool_choice",
            )

    def _trigger(self, request: ChatRequest) -> str:
        call_format = self._adapter.call_format
        if call_format is None or call_format.is_bare:
            raise UnsupportedField(
                "This model's calls begin like any text, so their arguments cannot be held to a schema "
                "unless a call is required: send tool_choice 'required', or leave strict out.",
                param="tools",
            )
        return call_format.begin

    def _matcher(self, request: ChatRequest, *, is_behind: bool) -> LLMatcher:
        text = self._lark_grammar(request, "/[ \\n]{0,4}/ " if is_behind else "")
        if text in self._compiled:
            self._compiled.move_to_end(text)
            return self._compiled[text]
        self._check(request)
        matcher = self._compile(LLMatcher.grammar_from_lark(text))
        if matcher.is_error():
            raise self._refusal(request, matcher.get_error())
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
        except RecursionError:  # thousands of references, each to the next
            raise InvalidValue(COMPLEX, param=_field(request)) from None

    def _unwritable(self, request: ChatRequest) -> str:
        """The field of the tool whose arguments the model has no way to write."""
        for position, tool in enumerate(request.tools):
            try:
                self._lark_text(structs.replace(request, tools=(tool,), must_call=(tool.name,)), "")
            except (Unwritable, TooManyShapes):
                return f"tools.{position}.function.parameters"
        return "tools"

    def _lark_text(self, request: ChatRequest, before: str) -> str:
        """A grammar in llguidance's Lark: the answer is what the schema says, a call, or either."""
        rules, starts = [], []
        if request.schema and not request.must_call:
            rules += [f"schema: {before}json", f"json: %json {_plain_schema(request.schema)}"]
            starts.append(self._adapter.framed("schema"))
        if request.tools and self._adapter.call_format:
            names = request.must_call or tuple(tool.name for tool in request.tools)
            tools = [tool for tool in request.tools if tool.name in names]
            calls = self._adapter.call_format.lark(tools, request.may_call_several)
            rules.append(calls.replace("start:", "calls:", 1).rstrip())
            starts.append("calls")
        return "\n".join([f"start: {' | '.join(starts)}", *rules]) + "\n"

    def _compile(self, grammar: str) -> LLMatcher:
        vocabulary = self._llguidance()
        matcher = LLMatcher(vocabulary, grammar, log_level=0, limits=_LIMITS)
        if matcher.is_error():
            return matcher
        # Some are too complex only where the first object begins: better found now than in the answer.
        trial = matcher.deep_copy()
        trial.consume_tokens(trial.compute_ff_tokens())
        trial.try_consume_tokens(vocabulary.tokenize_str("{"))
        trial.compute_bitmask()
        return trial if trial.is_error() else matcher

    def _llguidance(self) -> LLTokenizer:
        # Half a second, and only for models that are asked to follow something.
        if self._vocabulary is None:
            self._vocabulary = LLTokenizer(
                self._model.tokenizer.as_json(),
                n_vocab=self._model.vocab_size,
                eos_token=sorted(self._model.stop_ids),
            )
        return self._vocabulary

    def _check(self, request: ChatRequest) -> None:
        """Refuse what is too large, or would leave an answer in a place where nothing may follow."""
        for field, schema in _schemas(request):
            if len(schema) > MOST_BYTES:
                raise InvalidValue(
                    f"The schema has {len(schema)} bytes; at most {MOST_BYTES} are enforced.", param=field
                )
            if problem := dead_end(json.loads(schema), self._can_continue):
                raise InvalidValue(problem, param=field)

    def _can_continue(self, schema: Mapping[str, Any], begun: str) -> bool:
        vocabulary, grammar = self._llguidance(), f"start: %json {json.dumps(schema)}\n"
        trial = LLMatcher(vocabulary, LLMatcher.grammar_from_lark(grammar), log_level=0, limits=_LIMITS)
        if trial.is_error():
            return True  # too much for a trial
        trial.try_consume_tokens(vocabulary.tokenize_str(begun))
        return any(trial.compute_bitmask()) and not trial.is_error()

    def _refusal(self, request: ChatRequest, error: str) -> InvalidValue:
        """Names the field whose schema alone is refused; otherwise all together are too much."""
        fields = _schemas(request)
        for field, schema in fields:
            alone = self._compile(LLMatcher.grammar_from_lark(f"start: %json {_plain_schema(schema)}\n"))
            if alone.is_error():
                return InvalidValue(_reason(alone.get_error()), param=field)
        return InvalidValue(_reason(error), param=fields[0][0])


def _schemas(request: ChatRequest) -> list[tuple[str, str]]:
    """The field and the text of each schema that is to be enforced."""
    tools = [
        (f"tools.{position}.function.parameters", tool.parameters)
        for position, tool in enumerate(request.tools)
        if not request.must_call or tool.name in request.must_call
    ]
    is_text = request.schema and not request.must_call
    return [*([(_SCHEMA, request.schema)] if is_text else []), *tools]


def _field(request: ChatRequest) -> str:
    """What asks for a grammar: one schema, or all that the tools have."""
    fields = [field for field, _ in _schemas(request)]
    return fields[0] if len(fields) == 1 else _SCHEMA if request.schema and not request.tools else "tools"


def _plain_schema(schema: str) -> str:
    """Written as models write JSON; whoever sent it cannot have it enforced less strictly."""
    return json.dumps({**json.loads(schema), "x-guidance": PLAIN})


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:200] if text.strip() else ""


def _reason(error: str) -> str:
    first = _first_line(error)
    if found := _KEYWORDS.search(first):
        named = found[1].replace('"', "'")
        return f"The schema's {named} cannot be enforced; leave it out."
    if "too large" in first or "too complex" in first or "items; max" in first or "fuel" in first:
        return COMPLEX
    return f"The schema cannot be enforced: {first.rstrip('.')}."


def mask(logits: mx.array, allowed: Allowed | None) -> mx.array:
    """The logits, shape (1, vocabulary), of the allowed tokens; no other can be drawn."""
    if allowed is None:
        return logits
    return mx.where(mx.array(allowed), logits, mx.array(-mx.inf, logits.dtype))
