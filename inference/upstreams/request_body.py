"""The body of a request to another server, or the refusal of a field that it does not follow."""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from msgspec import structs

from inference.core.errors import UnsupportedField
from inference.core.requests import (
    PICTURE,
    ChatRequest,
    CompletionRequest,
    GenerationRequest,
    Message,
    Sampling,
)
from inference.core.upstream import ENGINE_NAMES, Address
from inference.upstreams.engines import FOLLOWED, OWNER_FIELDS, RENAMED, TAKE_REASONING

_DEFAULT = Sampling()
# Values that change nothing: an engine that does not know the field does the same.
_NEUTRAL: Mapping[str, Any] = {"top_k": (0, -1), "min_p": (0,), "repetition_penalty": (1,)}


def path_of(request: GenerationRequest) -> str:
    """Where the request is sent, below the base URL."""
    return "/chat/completions" if isinstance(request, ChatRequest) else "/completions"


def encoded(request: GenerationRequest, address: Address, owner: str, limit: int) -> bytes:
    """The body as JSON, in ASCII: a text may have halves of surrogate pairs, which are no UTF-8."""
    return json.dumps(body_of(request, address, owner, limit)).encode()


def body_of(request: GenerationRequest, address: Address, owner: str, limit: int) -> dict[str, Any]:
    """The body for this address; raises UnsupportedField with the name of what it does not follow.

    `limit` is the most tokens that each answer may have; 0 leaves that to the other server.
    """
    body = _Body(address)
    body.add("model", address.model)
    body.add("stream", True)
    body.add("stream_options", {"include_usage": True})
    _add_sampling(body, request.sampling)
    _add_rules(body, request)
    if isinstance(request, ChatRequest):
        _add_chat(body, request)
    else:
        _add_completion(body, request)
    if limit:
        body.add("max_tokens", limit)
    if (field := OWNER_FIELDS.get(address.engine)) and owner:
        body.add(field, sha256(owner.encode(errors="replace")).hexdigest()[:32])
    return body.fields


class _Body:
    """The fields so far."""

    def __init__(self, address: Address) -> None:
        self._engine = address.engine
        self.fields: dict[str, Any] = {}

    def follows(self, name: str) -> bool:
        return name in FOLLOWED[self._engine]

    def add(self, name: str, value: Any) -> None:
        """Add a field that every engine follows."""
        self.fields[name] = value

    def add_followed(self, name: str, value: Any, needs: str = "") -> None:
        """Add a field under the engine's name for it; raises UnsupportedField where it is not followed.

        `needs` names what the engine has to follow where that is not the field itself.
        """
        if not self.follows(needs or name):
            if value in _NEUTRAL.get(name, ()):
                return
            self.refuse(name)
        self.add(RENAMED.get(self._engine, {}).get(name, name), value)

    def refuse(self, name: str) -> None:
        raise UnsupportedField(
            f"{name} is not supported here: the model is served by {ENGINE_NAMES[self._engine]}, which does "
            "not follow it. Leave it out, or ask another model.",
            param=name,
        )

    @property
    def takes_reasoning(self) -> bool:
        return self._engine in TAKE_REASONING


def _add_sampling(body: _Body, sampling: Sampling) -> None:
    for name in ("temperature", "top_p"):
        if (value := getattr(sampling, name)) is not None:
            body.add(name, value)
    for name in ("top_k", "min_p", "seed", "repetition_penalty", "repetition_window"):
        if (value := getattr(sampling, name)) is not None:
            body.add_followed(name, value)
    for name in ("presence_penalty", "frequency_penalty"):
        if value := getattr(sampling, name):
            body.add_followed(name, value)
    if sampling.text_bias:
        body.refuse("logit_bias")
    if sampling.logit_bias:
        body.add_followed("logit_bias", {str(token): bias for token, bias in sampling.logit_bias})
    if sampling.xtc_probability:
        body.add_followed("xtc_probability", sampling.xtc_probability)
        body.add("xtc_threshold", sampling.xtc_threshold)
    if sampling.dry_multiplier:
        body.add_followed("dry_multiplier", sampling.dry_multiplier)
        body.add("dry_base", sampling.dry_base)
        body.add("dry_allowed_length", sampling.dry_allowed_length)
        body.add("dry_penalty_last_n", -1 if sampling.dry_window is None else sampling.dry_window)
        body.add("dry_sequence_breakers", list(sampling.dry_breakers))


def _add_rules(body: _Body, request: GenerationRequest) -> None:
    """The fields of both endpoints about stops, tokens and the form of an answer."""
    rules = request.rules
    if request.stop:
        body.add("stop", list(request.stop))
    if rules.banned_ids or rules.banned_texts:
        body.refuse("logit_bias")
    for name, value in (
        ("min_tokens", rules.min_tokens),
        ("stop_token_ids", list(rules.stop_ids)),
        ("allowed_token_ids", list(rules.allowed_ids)),
        ("bad_words", list(rules.bad_words)),
        ("ignore_eos", request.ignores_end),
    ):
        if value:
            body.add_followed(name, value)
    for name, is_wanted in (
        ("prompt_logprobs", request.prompt_logprobs is not None),
        ("return_token_ids", request.returns_token_ids),
        ("truncate_prompt_tokens", request.prompt_limit is not None),
    ):
        if is_wanted:
            body.refuse(name)
    if request.n > 1:
        body.add_followed("n", request.n)
    if request.schema:
        schema = {"name": "answer", "schema": json.loads(request.schema), "strict": True}
        body.add_followed("response_format", {"type": "json_schema", "json_schema": schema})
    if form := request.grammar:
        if form.kind == "structural_tag" or not body.follows("structured_outputs"):
            body.refuse("response_format")
        given = json.loads(form.text) if form.kind == "choice" else form.text
        body.add("structured_outputs", {form.kind: given})


def _add_chat(body: _Body, request: ChatRequest) -> None:
    body.add("messages", [_message(one, body.takes_reasoning) for one in request.messages])
    if request.logprobs is not None:
        body.add_followed("logprobs", True)
        body.add("top_logprobs", request.logprobs)
    if request.continues:
        body.add_followed("continue_final_message", True)
        body.add("add_generation_prompt", False)
    _add_tools(body, request)
    options = dict(request.template_options)
    if request.thinking is not None:
        if not body.follows("chat_template_kwargs"):
            body.refuse("enable_thinking")
        options["enable_thinking"] = request.thinking
    if options:
        body.add_followed("chat_template_kwargs", options)
    if request.effort:
        body.add_followed("reasoning_effort", request.effort)
    if request.thinking_budget is not None:
        body.add_followed("thinking_budget", request.thinking_budget)


def _message(message: Message, takes_reasoning: bool) -> dict[str, Any]:
    """One message; earlier reasoning is left out where the engine does not take it, as templates do."""
    optional = {
        "name": message.name if message.role != "tool" else "",
        "tool_call_id": message.tool_call_id,
        "reasoning_content": message.reasoning if takes_reasoning else "",
        "tool_calls": [
            {"id": one.id, "type": "function", "function": {"name": one.name, "arguments": one.arguments}}
            for one in message.tool_calls
        ],
    }
    filled = {name: value for name, value in optional.items() if value}
    return {"role": message.role, "content": _content(message), **filled}


def _content(message: Message) -> str | list[dict[str, Any]]:
    """The text, or its parts with the pictures between them."""
    if not message.pictures:
        return message.content
    before, *texts = message.content.split(PICTURE)
    parts = [_text(before)]
    for picture, text in zip(message.pictures, texts, strict=False):
        data = b64encode(picture.data).decode()
        url = {"url": f"data:{picture.media_type};base64,{data}", "detail": picture.detail}
        parts += [{"type": "image_url", "image_url": url}, _text(text)]
    return [part for part in parts if part["type"] != "text" or part["text"]]


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _add_tools(body: _Body, request: ChatRequest) -> None:
    if not request.tools:
        return
    if any(tool.input_definition for tool in request.tools):
        body.refuse("tools")  # the grammar of its input would not be enforced
    body.add(
        "tools",
        [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": json.loads(tool.parameters),
                    **({"strict": True} if request.follows_schemas else {}),
                },
            }
            for tool in request.tools
        ],
    )
    if choice := _tool_choice(request):
        is_one = isinstance(choice, dict)
        body.add_followed("tool_choice", choice, needs="tool_choice.function" if is_one else "")
    if not request.may_call_several:
        body.add_followed("parallel_tool_calls", False)


def _tool_choice(request: ChatRequest) -> str | dict[str, Any]:
    """What has to be called; empty where the model is free. Tools that must not be called are left out."""
    if not request.must_call:
        return ""
    if len(request.must_call) == 1:
        return {"type": "function", "function": {"name": request.must_call[0]}}
    if set(request.must_call) == {tool.name for tool in request.tools}:
        return "required"
    allowed = [{"type": "function", "function": {"name": name}} for name in request.must_call]
    return {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": allowed}}


def _add_completion(body: _Body, request: CompletionRequest) -> None:
    if request.echo:
        body.refuse("echo")
    if request.logprobs is not None:
        body.refuse("logprobs")
    if any(not isinstance(prompt, str) for prompt in request.prompts) and not body.follows("prompt_tokens"):
        body.refuse("prompt")
    if len(request.prompts) > 1 and not body.follows("prompt_list"):
        body.refuse("prompt")
    prompts = [prompt if isinstance(prompt, str) else list(prompt) for prompt in request.prompts]
    body.add("prompt", prompts[0] if len(prompts) == 1 else prompts)
    if request.suffix is not None:
        body.add_followed("suffix", request.suffix)


def best_effort(request: GenerationRequest) -> Iterator[str]:
    """The fields that engines follow as far as they can, and do not all enforce."""
    if isinstance(request, ChatRequest) and request.tools and request.follows_schemas:
        yield "tools"


def without_reasoning(request: GenerationRequest) -> GenerationRequest:
    """The request to a model that does not reason: its fields about that are noted, as for a local model."""
    if not isinstance(request, ChatRequest):
        return request
    return structs.replace(request, thinking=None, effort="", thinking_budget=None)


def noted(request: GenerationRequest, can_reason: bool) -> Iterator[str]:
    """The fields that change nothing: how fast an answer comes is for the other server to decide."""
    if not request.speculates:
        yield "speculative"
    if not isinstance(request, ChatRequest):
        return
    if request.prediction:
        yield "prediction"
    if can_reason:
        return
    for name, is_sent in (
        ("enable_thinking", request.thinking is not None),
        ("reasoning_effort", bool(request.effort)),
        ("thinking_budget", request.thinking_budget is not None),
    ):
        if is_sent:
            yield name
