"""Whether and how much a model is to think: one meaning, under every name that clients have for it."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, Tag, model_validator

from inference.api.http.strict_schema import Part, either, not_given, wrong
from inference.api.openai.schemas.answer_form import FormFields
from inference.api.openai.schemas.generation import Extra, no_limit

ReasoningEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
SentEffort = Annotated[ReasoningEffort | None, not_given("", "default")]
Budget = Annotated[Annotated[int, Field(ge=0, le=2**31 - 1)] | None, BeforeValidator(no_limit)]
_RESERVED = frozenset(
    {"messages", "tools", "documents", "add_generation_prompt", "bos_token", "eos_token", "chat_template"}
)
_FIELDS = frozenset({"enable_thinking", "thinking", "reasoning_effort", "thinking_budget"})
_Scalar = bool | int | float | Annotated[str, Field(max_length=10_000)] | None
TemplateOptions = Annotated[
    dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")], _Scalar],
    Field(max_length=32, json_schema_extra={"additionalProperties": False}),
]
Think = Annotated[
    Annotated[bool, Tag("<switch>")] | Annotated[ReasoningEffort, Tag("<effort>")],
    either({"<switch>": bool, "<effort>": str}, "true, false or an effort"),
]


class OpenRouterReasoning(Part):
    """OpenRouter's way to ask for thoughts."""

    noted = {"summary": "reasoning is always returned completely."}

    effort: SentEffort = Field(None, description="The same as `reasoning_effort`.")
    max_tokens: Budget = Field(None, description="The same as `thinking_budget`.")
    enabled: bool | None = Field(None, description="The same as `enable_thinking`.")
    exclude: bool | None = Field(None, description="`true` is `include_reasoning: false`.")


class ThinkingOptions(Part):
    """Anthropic's, DeepSeek's and GLM's way to ask for thoughts."""

    type: Literal["enabled", "disabled", "adaptive", "auto"] = Field(
        description="`enabled`, `disabled`, or `adaptive` and `auto`: the model decides."
    )
    budget_tokens: Budget = Field(None, description="The same as `thinking_budget`.")
    clear_thinking: bool | None = Field(None, description="GLM: whether earlier reasoning is omitted.")


class ThinkingFields(FormFields):
    """The fields of a chat that are about its reasoning."""

    aliases = {
        **FormFields.aliases,
        "reasoning_budget": "thinking_budget",
        "thinking_budget_tokens": "thinking_budget",
        "thinking_token_budget": "thinking_budget",
    }

    reasoning_effort: SentEffort = Field(
        None,
        description=(
            "`none`, `minimal`, `low`, `medium`, `high`, `xhigh` or `max`. Passed to chat templates "
            "that support it. For others, `none` switches thinking off, and the other values limit it "
            "to a fraction of the answer's tokens. `default` is not given. Noted if the model does not "
            "reason."
        ),
    )
    enable_thinking: bool | None = Field(
        None,
        description=(
            "Not OpenAI's. `false` switches thinking off; `true` switches it on if the chat template "
            "has a switch. Noted if the model does not reason."
        ),
    )
    think: Think | None = Field(
        None,
        description=(
            "Ollama's. `true` and `false` are the same as `enable_thinking`, a string the same as "
            "`reasoning_effort`."
        ),
    )
    reasoning: OpenRouterReasoning | None = Field(
        None, description="OpenRouter's form of the reasoning fields."
    )
    thinking: ThinkingOptions | None = Field(None, description="Anthropic's form of the reasoning fields.")
    thinking_budget: Budget = Field(
        None,
        description=(
            "Not OpenAI's. The maximum number of reasoning tokens; the answer begins after that. 0 ends "
            "the reasoning immediately, -1 is no limit. Noted if the model does not reason."
        ),
    )
    include_reasoning: bool | None = Field(
        None,
        description="Not OpenAI's. `false` omits the reasoning from the answer; it still counts as usage.",
    )
    chat_template_kwargs: TemplateOptions | None = Field(
        None,
        description=(
            "Not OpenAI's. Variables for the chat template: up to 32 strings, numbers and booleans. "
            "Variables that the template does not have are noted. `enable_thinking`, `thinking`, "
            "`reasoning_effort` and `thinking_budget` are the same as the fields of these names."
        ),
    )

    @model_validator(mode="after")
    def _check_thinking(self) -> Self:
        self._pick(self._switches)
        self._pick(self._efforts)
        self._pick(self._budgets)
        for name in _RESERVED & (self.chat_template_kwargs or {}).keys():
            raise wrong("reserved", "The server itself sets this variable", f"chat_template_kwargs.{name}")
        return self

    @property
    def wants_thinking(self) -> bool | None:
        """Whether to think; None for the model's default."""
        value: bool | None = self._pick(self._switches)[1]
        return value

    @property
    def effort(self) -> str:
        return self._pick(self._efforts)[1] or ""

    @property
    def budget(self) -> int | None:
        value: int | None = self._pick(self._budgets)[1]
        return value

    @property
    def shows_reasoning(self) -> bool:
        is_excluded = bool(self.reasoning and self.reasoning.exclude)
        return self.include_reasoning is not False and not is_excluded

    @property
    def extras(self) -> frozenset[Extra]:
        return super().extras | (frozenset() if self.shows_reasoning else frozenset({"no_reasoning"}))

    @property
    def template_options(self) -> dict[str, Any]:
        """The chat template's own variables, without those that are fields here."""
        options = dict(self.chat_template_kwargs or {})
        if self.thinking and self.thinking.clear_thinking is not None:
            options.setdefault("clear_thinking", self.thinking.clear_thinking)
        return {name: value for name, value in options.items() if name not in _FIELDS and value is not None}

    @property
    def own_names(self) -> Mapping[str, str]:
        sent = {
            "enable_thinking": self._pick(self._switches)[0],
            "reasoning_effort": self._pick(self._efforts)[0],
            "thinking_budget": self._pick(self._budgets)[0],
        }
        return {**super().own_names, **{name: path for name, path in sent.items() if path}}

    def _switches(self) -> Iterator[tuple[str, Any]]:
        options = self.chat_template_kwargs or {}
        yield "enable_thinking", self.enable_thinking
        yield "think", self.think if isinstance(self.think, bool) else None
        yield "reasoning.enabled", self.reasoning.enabled if self.reasoning else None
        kind = self.thinking.type if self.thinking else None
        yield "thinking.type", {"enabled": True, "disabled": False}.get(kind or "")
        yield "chat_template_kwargs.enable_thinking", _checked(options, "enable_thinking", bool)
        yield "chat_template_kwargs.thinking", _checked(options, "thinking", bool)

    def _efforts(self) -> Iterator[tuple[str, Any]]:
        yield "reasoning_effort", self.reasoning_effort
        yield "think", self.think if isinstance(self.think, str) else None
        yield "reasoning.effort", self.reasoning.effort if self.reasoning else None
        yield (
            "chat_template_kwargs.reasoning_effort",
            _checked(self.chat_template_kwargs or {}, "reasoning_effort", str),
        )

    def _budgets(self) -> Iterator[tuple[str, Any]]:
        yield "thinking_budget", self.thinking_budget
        yield "reasoning.max_tokens", self.reasoning.max_tokens if self.reasoning else None
        yield "thinking.budget_tokens", self.thinking.budget_tokens if self.thinking else None
        budget = _checked(self.chat_template_kwargs or {}, "thinking_budget", int)
        yield "chat_template_kwargs.thinking_budget", None if budget == -1 else budget

    @staticmethod
    def _pick(values: Any) -> tuple[str, Any]:
        """Path and value of the field that was sent; all that were sent have to agree."""
        found = [(path, value) for path, value in values() if value is not None]
        for path, value in found[1:]:
            if value != found[0][1]:
                raise wrong("names_differ", f"It differs from {found[0][0]}, which means the same", path)
        return found[0] if found else ("", None)


def _checked(options: Mapping[str, Any], name: str, kind: type) -> Any:
    value = options.get(name)
    if value is not None and type(value) is not kind:
        expected = {bool: "true or false", str: "a text", int: "an integer"}[kind]
        raise wrong("wrong_type", f"It must be {expected}", f"chat_template_kwargs.{name}")
    return value
