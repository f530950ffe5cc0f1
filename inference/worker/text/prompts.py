"""From a request to the sequences that answer it, checked against the loaded model."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from msgspec import structs

from inference.core.errors import InvalidValue
from inference.core.events import Tokenized
from inference.core.protocol import Load
from inference.core.requests import (
    NEUTRAL,
    ChatRequest,
    CompletionRequest,
    DetokenizeRequest,
    EmbeddingRequest,
    GenerationRequest,
    Lora,
    Prompt,
    RerankRequest,
    Sampling,
    TokenizeRequest,
)
from inference.worker.embedding import inputs, pairs
from inference.worker.embedding.inputs import Inputs
from inference.worker.engine.sequence import Sequence
from inference.worker.model.loaded_model import LoadedModel
from inference.worker.sampling.grammar_compiler import GrammarCompiler
from inference.worker.sampling.token_rules import RuleConstraint
from inference.worker.text import answer_thinking, checkpoints, prompt_truncation, token_biases
from inference.worker.text.answer import AnswerText
from inference.worker.text.prompt_checks import (
    MAX_TOKENS_RETURNED,
    PromptChecks,
    check_scores,
    is_scored,
    prompt_field,
    too_long_error,
)
from inference.worker.text.prompt_pictures import PromptPictures
from inference.worker.vision.seen import SeenPictures

_USUAL_TOKENS = 4096  # of an answer whose request names no length


@dataclass(frozen=True)
class PreparedPrompt:
    """One prompt and its answers; the first sequence is prefilled, the others begin with its caches."""

    sequences: tuple[Sequence, ...]
    answers: tuple[AnswerText, ...]
    prompt_logprobs: int | None = None  # how many alternatives for each of the prompt's tokens
    cut_tokens: int = 0  # that the prompt had before its first one
    noted: tuple[str, ...] = ()  # fields that this model has no use for
    best_effort: tuple[str, ...] = ()  # fields that it follows, and that cannot be enforced

    @property
    def prompt(self) -> tuple[int, ...]:
        return self.sequences[0].prompt


class Prompts:
    """Turns the requests of one model into sequences. Used on the prompt thread only."""

    def __init__(self, model: LoadedModel, options: Load) -> None:
        self._model = model
        self._options = options
        self._checks = PromptChecks(model)
        self._grammars = GrammarCompiler(model)
        self._pictures = PromptPictures(model)
        self._last_id = 0

    def prepare(
        self, request: GenerationRequest, owner: str, seen: SeenPictures = ()
    ) -> list[PreparedPrompt]:
        """The sequences and answers for each prompt of `request`, whose pictures are `seen`.

        1. Tokenize the texts of the logit bias, and check it.
        2. Check the size of the prompt's text before it is tokenized.
        3. Render the chat template, or take the prompts of a completion; tokenize them.
        4. Check that the token ids are in the model's vocabulary; cut the prompts where that is asked for.
        5. Check that prompt and answer fit the context.
        6. Compile the grammar, and make one sequence and one AnswerText for each of the `n` answers.

        Raises a ServerError that names the field at fault.
        """
        if self._model.pooling:
            raise InvalidValue(
                "This model makes embeddings or scores, not text; GET /v1/models says which.", param="model"
            )
        request = token_biases.with_ids(request, self._model.tokenizer.encode)
        self._checks.check_bias(request)
        whole, request_number = self.tokens(request, seen), self._last_id + 1
        request, prompts = prompt_truncation.cut(
            request,
            whole,
            context=self._model.context_length,
            answer_tokens=min(self._wanted_tokens(request), _usual_tokens(request)),
        )
        prepared = [
            self._prepare_one(request, prompt, owner, first=number * request.n, request_number=request_number)
            for number, prompt in enumerate(prompts)
        ]
        return [
            self._with_places(replace(one, cut_tokens=len(before) - len(one.prompt)), request, seen)
            for one, before in zip(prepared, whole, strict=True)
        ]

    def tokens(self, request: GenerationRequest, seen: SeenPictures = ()) -> list[list[int]]:
        """The token ids of each prompt; raises a ServerError that names the field at fault."""
        self._checks.check_size(request)
        prompts = list(self._rendered(request, seen))
        for prompt in prompts:
            self._checks.check_vocabulary(request, prompt)
        return prompts

    def inputs(self, request: EmbeddingRequest | RerankRequest) -> Inputs:
        """The inputs of an embedding model or a reranker; raises a ServerError naming the field."""
        if isinstance(request, RerankRequest):
            return pairs.read(request, self._model, self._next_id())
        return inputs.read(request, self._model, self._next_id())

    def tokenized(self, request: TokenizeRequest | DetokenizeRequest, seen: SeenPictures = ()) -> Tokenized:
        """The answer to a tokenize or detokenize request; raises a ServerError naming the field."""
        if isinstance(request, DetokenizeRequest):
            prompts = [list(request.tokens)]
            self._checks.check_known(request.tokens, "tokens")
        else:
            prompts = self._dry_run(request, seen)
        if (total := sum(map(len, prompts))) > MAX_TOKENS_RETURNED:
            raise InvalidValue(
                f"These are {total} tokens; at most {MAX_TOKENS_RETURNED} are returned at once.",
                param="tokens" if isinstance(request, DetokenizeRequest) else prompt_field(request.of),
            )
        tokenizer, with_pieces = self._model.tokenizer, getattr(request, "with_pieces", False)
        shown = prompts if with_pieces else []
        return Tokenized(
            tokens=tuple(map(tuple, prompts)),
            texts=tuple(map(tokenizer.decode, prompts)),
            context_length=self._model.context_length,
            pieces=tuple(tuple(map(tokenizer.token_bytes, prompt)) for prompt in shown),
            entries=tuple(tuple(map(tokenizer.token_text, prompt)) for prompt in shown),
        )

    def _dry_run(self, request: TokenizeRequest, seen: SeenPictures) -> list[list[int]]:
        """The prompts' tokens; a raw text with or without the tokenizer's special tokens."""
        of, adds_special = request.of, request.adds_special
        if adds_special is None or isinstance(of, ChatRequest):
            return self.tokens(of, seen)
        self._checks.check_size(of)
        encode = self._model.tokenizer.encode_whole if adds_special else self._model.tokenizer.encode
        return [encode(prompt) if isinstance(prompt, str) else list(prompt) for prompt in of.prompts]

    def _rendered(self, request: GenerationRequest, seen: SeenPictures) -> Iterator[list[int]]:
        if isinstance(request, ChatRequest):
            prompt = self._model.adapter.render(request, self._pictures.expansion(seen))
            self._pictures.placed(prompt, seen)  # refuses a template that leaves pictures out
            yield prompt
            return
        for given in request.prompts:
            yield self._raw(given, request.suffix)

    def best_effort(self, request: GenerationRequest) -> tuple[str, ...]:
        """The fields of a request that are followed, and that are not enforced as a whole."""
        return self._grammars.best_effort(request)

    def _raw(self, prompt: Prompt, suffix: str | None) -> list[int]:
        if not isinstance(prompt, str):
            return list(prompt)
        if self._model.pooling:
            return list(inputs.tokens_of(prompt, self._model))
        if suffix is not None:
            return self._model.adapter.infill(prompt, suffix)
        return self._model.tokenizer.encode_prompt(prompt)

    def _prepare_one(
        self, request: GenerationRequest, prompt: list[int], owner: str, *, first: int, request_number: int
    ) -> PreparedPrompt:
        model = self._model
        sampling = request.sampling.over(model.own_sampling).over(NEUTRAL)
        grammar = self._grammars.of(request, prompt)
        max_tokens = self._answer_limit(request, len(prompt))
        stop_ids = self._stop_ids(request)
        rules = RuleConstraint.of(request.rules, stop_ids, model.tokenizer.encode)
        usual_tokens = min(max_tokens, _usual_tokens(request))
        thinking = answer_thinking.budget_of(request, prompt, model, usual_tokens)
        check_scores(request, len(prompt))
        sequences = tuple(
            Sequence(
                id=self._next_id(),
                prompt=tuple(prompt),
                max_tokens=max_tokens,
                sampling=_sampling_of_copy(sampling, copy),
                stop_ids=stop_ids,
                owner=_owner_of(owner, request.lora),
                logprobs=request.logprobs,
                scores_prompt=is_scored(request),
                prompt_alternatives=request.prompt_logprobs or 0,
                grammar=grammar,
                rules=rules,
                thinking=thinking,
                decode=model.tokenizer.decode,
                lora=request.lora.key if request.lora else "",
                speculates=request.speculates,
                prediction=self._prediction(request, max_tokens),
                request=request_number,
            )
            for copy in range(request.n)
        )
        answers = tuple(
            AnswerText.of(
                request, prompt, model.tokenizer, model.adapter, index=first + copy, thinking=thinking
            )
            for copy in range(request.n)
        )
        noted = model.adapter.noted(request) if isinstance(request, ChatRequest) else ()
        return PreparedPrompt(
            sequences,
            answers,
            prompt_logprobs=request.prompt_logprobs,
            noted=noted,
            best_effort=self.best_effort(request),
        )

    def _with_places(
        self, prepared: PreparedPrompt, request: GenerationRequest, seen: SeenPictures
    ) -> PreparedPrompt:
        """It with the places of its pictures and checkpoints in the prompt."""
        prompt = list(prepared.prompt)
        pictures, checkpoints = self._pictures.placed(prompt, seen), self._checkpoints(request, prompt, seen)
        sequences = [replace(one, pictures=pictures, checkpoints=checkpoints) for one in prepared.sequences]
        return replace(prepared, sequences=tuple(sequences))

    def _prediction(self, request: GenerationRequest, max_tokens: int) -> tuple[int, ...]:
        """The tokens of what the client expects as the answer, as many as the answer may have."""
        if not isinstance(request, ChatRequest) or not request.speculates:
            return ()
        tokenizer = self._model.tokenizer
        # Tokenizing megabytes takes many seconds, while all other prompts wait.
        text = request.prediction[: max_tokens * tokenizer.longest_bytes]
        return tuple(tokenizer.encode(text)[:max_tokens]) if text else ()

    def _checkpoints(
        self, request: GenerationRequest, prompt: list[int], seen: SeenPictures
    ) -> tuple[int, ...]:
        """Where its client marks the end of what later prompts share, if the model has use for that."""
        if not (self._model.needs_checkpoints and isinstance(request, ChatRequest)):
            return ()
        render = partial(self._model.adapter.render, expand=self._pictures.expansion(seen))
        return checkpoints.positions(request, prompt, render)

    def _stop_ids(self, request: GenerationRequest) -> frozenset[int]:
        own = frozenset(request.rules.stop_ids)
        if request.ignores_end:
            return own
        is_infill = isinstance(request, CompletionRequest) and request.suffix is not None
        return own | (self._model.adapter.infill_stop_ids if is_infill else self._model.stop_ids)

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _answer_limit(self, request: GenerationRequest, prompt_tokens: int) -> int:
        """How many tokens the answer may have: what was asked for, or what the context leaves.

        Raises ContextLengthExceeded if there is no place for any.
        """
        context = self._model.context_length
        least = 0 if request.max_tokens == 0 else 1
        if prompt_tokens + least > context:
            raise too_long_error(request, str(prompt_tokens), (prompt_tokens, context))
        return min(self._wanted_tokens(request), context - prompt_tokens)

    def _wanted_tokens(self, request: GenerationRequest) -> int:
        """What was asked for, or all that the context has, and no more than the operator allows."""
        wanted = self._model.context_length if request.max_tokens is None else request.max_tokens
        return min(wanted, self._options.max_output_tokens or wanted)


def _usual_tokens(request: GenerationRequest) -> int:
    """The length of answer that shares are taken of: the context is no measure of an answer."""
    return _USUAL_TOKENS if request.max_tokens is None else request.max_tokens


def _owner_of(owner: str, lora: Lora | None) -> str:
    """Whose prefixes are used: an adapter changes keys and values, so it has its own."""
    return json.dumps([owner, lora.key]) if lora else owner


def _sampling_of_copy(sampling: Sampling, copy: int) -> Sampling:
    """The sampling of answer number `copy` to a prompt: a seed counts up from the request's own."""
    if sampling.seed is None or copy == 0:
        return sampling
    return structs.replace(sampling, seed=sampling.seed + copy)
