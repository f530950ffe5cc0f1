"""What can be asked of a model: frozen msgspec structs, which travel from site to worker (protocol.py)."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from msgspec import Struct, structs

Role = Literal["system", "user", "assistant", "tool"]
Prompt = str | tuple[int, ...]  # a text, or the token ids themselves
# A request's `kind` is stored in its record and stays for ever; its tag is only a name between two processes.
Kind = Literal["chat", "completion", "tokenize", "detokenize", "embedding", "rerank"]
PICTURE = "\ufdd1"  # stands for a picture in a message's content: a noncharacter, which no other text has


class ToolCall(Struct, frozen=True, kw_only=True):
    """A call that the assistant made; `arguments` is the JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str


class Picture(Struct, frozen=True, kw_only=True):
    """An encoded picture (PNG, JPEG, WebP or GIF), with the size in pixels that its header states.

    One that a request names by its address has the `url` alone until it is fetched.
    """

    data: bytes
    media_type: str
    width: int
    height: int
    detail: Literal["auto", "low", "high"] = "auto"  # how closely to look
    url: str = ""


class Message(Struct, frozen=True, kw_only=True):
    """One turn of a chat, already normalised: `developer` folded into `system`."""

    role: Role
    content: str
    pictures: tuple[Picture, ...] = ()  # as many as `content` has PICTURE, in that order
    name: str = ""  # the speaker, or the tool that answers
    tool_calls: tuple[ToolCall, ...] = ()  # the assistant's
    tool_call_id: str = ""  # which call a tool answers
    reasoning: str = ""  # what the assistant thought; templates keep or drop it as their model was trained


def joined(first: Message, second: Message) -> Message:
    """The first message, continued with content and pictures of the second."""
    content = "\n\n".join(text for text in (first.content, second.content) if text)
    return structs.replace(first, content=content, pictures=first.pictures + second.pictures)


class Tool(Struct, frozen=True, kw_only=True):
    """A function the model may call; `parameters` is the JSON text of a schema."""

    name: str
    description: str = ""
    parameters: str = '{"type":"object","properties":{}}'
    is_strict: bool = False  # a schema that cannot be enforced as a whole is refused
    input_syntax: str = ""  # "lark" or "regex": of a grammar for the one text among its arguments
    input_definition: str = ""  # that grammar, where there is one


class AnswerGrammar(Struct, frozen=True, kw_only=True):
    """The form of an answer that is no JSON schema.

    `text` is a JSON list of texts (choice), a regular expression, a grammar in Lark or GBNF, or a JSON list
    of objects with `trigger`, `begin`, `schema` and `end` (structural_tag).
    """

    kind: Literal["choice", "regex", "grammar", "structural_tag"]
    text: str


class Sampling(Struct, frozen=True, kw_only=True):
    """How the next token is drawn; temperature 0 is greedy, a seed makes the draw repeatable.

    What is None is the model's own to say (generation_config.json), and NEUTRAL where it says nothing.
    Presence and frequency penalties count the answer's tokens (OpenAI), the repetition penalty those of
    prompt and answer (https://arxiv.org/abs/1909.05858).
    """

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    seed: int | None = None
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    repetition_penalty: float | None = None
    repetition_window: int | None = None  # only so many of the latest tokens count; None: all of them
    logit_bias: tuple[tuple[int, float], ...] = ()  # token id, what is added to its logit
    text_bias: tuple[tuple[str, float], ...] = ()  # text, what is added to the logit of each of its tokens
    xtc_probability: float = 0.0  # how often the likeliest choices are left out, but for the last of them
    xtc_threshold: float = 0.1  # of a token that counts as such a choice
    dry_multiplier: float = 0.0  # 0: repeated sequences are not penalised
    dry_base: float = 1.75
    dry_allowed_length: int = 2  # tokens that may be repeated freely
    dry_window: int | None = None  # only so many of the latest tokens count; None: all of them
    dry_breakers: tuple[str, ...] = ("\n", ":", '"', "*")  # texts at which a repeated sequence ends

    @classmethod
    def recommended(cls, generation_config: Mapping[str, Any]) -> "Sampling":
        """What the model's makers recommend, where it makes sense."""

        def within(name: str, low: float, high: float) -> float | None:
            value = generation_config.get(name)
            if not isinstance(value, int | float) or isinstance(value, bool):
                return None
            return float(value) if low <= value <= high else None

        top_k = within("top_k", 0, 2**31 - 1)
        return cls(
            temperature=within("temperature", 0, 2),
            top_p=within("top_p", 1e-6, 1),
            top_k=None if top_k is None else int(top_k),
            min_p=within("min_p", 0, 1),
            repetition_penalty=within("repetition_penalty", 1e-6, 2),
        )

    def over(self, own: "Sampling") -> "Sampling":
        """These wishes, completed with the model's own."""
        return structs.replace(
            self,
            temperature=own.temperature if self.temperature is None else self.temperature,
            top_p=own.top_p if self.top_p is None else self.top_p,
            top_k=own.top_k if self.top_k is None else self.top_k,
            min_p=own.min_p if self.min_p is None else self.min_p,
            repetition_penalty=own.repetition_penalty
            if self.repetition_penalty is None
            else self.repetition_penalty,
        )


# What a token is drawn with where request, operator and model leave it open: nothing is changed or cut.
NEUTRAL = Sampling(temperature=1.0, top_p=1.0, top_k=0, min_p=0.0, repetition_penalty=1.0)


class TokenRules(Struct, frozen=True, kw_only=True):
    """What an answer may consist of, whatever its tokens are drawn with."""

    min_tokens: int = 0  # none of its ends may come before so many tokens
    stop_ids: tuple[int, ...] = ()  # these tokens end it, besides the model's own
    allowed_ids: tuple[int, ...] = ()  # no other tokens, but those that end it; empty: any
    bad_words: tuple[str, ...] = ()  # it has none of these texts
    banned_ids: tuple[int, ...] = ()  # it has none of these tokens
    banned_texts: tuple[str, ...] = ()  # nor any token of these texts


class Lora(Struct, frozen=True, kw_only=True):
    """A LoRA adapter that answers are computed with, as the catalog found it."""

    name: str
    path: str  # of its folder
    version: str  # another one after a change of its files

    @property
    def key(self) -> str:
        return f"{self.name}@{self.version}"


class Checkpoint(Struct, frozen=True, kw_only=True):
    """A place in a prompt up to which later prompts will be the same: in a message's content.

    Without characters, it is where the message differs from any other.
    """

    message: int  # its place among the messages
    characters: int  # of its content


class ChatRequest(Struct, frozen=True, kw_only=True, tag="chat"):
    """Messages to be rendered with the model's chat template and answered."""

    kind: ClassVar[Kind] = "chat"

    model: str
    messages: tuple[Message, ...]
    sampling: Sampling = Sampling()
    max_tokens: int | None = None  # None: as many as the operator's limit and the context allow
    stop: tuple[str, ...] = ()
    rules: TokenRules = TokenRules()
    logprobs: int | None = None  # how many alternatives with each token; None: no log probabilities
    prompt_logprobs: int | None = None  # the same for the tokens of the prompt
    returns_token_ids: bool = False  # of the prompt and of the answer
    prompt_limit: int | None = None  # of a longer prompt the last tokens are kept: so many; -1: what fits
    speculates: bool = True  # False: no tokens are drafted for it
    prediction: str = ""  # what its client expects as the answer
    n: int = 1  # how many answers
    tools: tuple[Tool, ...] = ()
    must_call: tuple[str, ...] = ()  # names: the answer is a call of one of these; empty: as the model likes
    may_call_several: bool = True
    follows_schemas: bool = False  # the arguments of a call do, though the model need not call
    schema: str = ""  # JSON text of the schema that the answer must follow
    has_strict_schema: bool = False  # it is refused where it cannot be enforced as a whole
    grammar: AnswerGrammar | None = None  # another form that it must have
    template_options: tuple[tuple[str, bool | int | float | str], ...] = ()  # variables of the chat template
    ignores_end: bool = False  # the answer has max_tokens, whatever the model says
    thinking: bool | None = None  # a template that has a switch for it gets it; None: the template's default
    effort: str = ""  # how much to think, in OpenAI's levels, "none" to "max"; empty: the template's default
    thinking_budget: int | None = None  # most tokens of reasoning; 0 closes it at once; None: no limit
    opens_answer: bool = True  # False, in dry runs alone: the prompt ends with its last message
    continues: bool = False  # the last message is an assistant's, and the answer goes on with it
    user: str = ""  # on whose behalf; prefixes are shared only within one user and key
    cache_key: str = ""
    checkpoints: tuple[Checkpoint, ...] = ()  # up to where it is worth storing prefixes
    labels: tuple[tuple[str, str], ...] = ()  # recorded with the request's span
    lora: Lora | None = None  # that `model` names; the site looks it up once the model is leased

    @property
    def answers(self) -> int:
        return self.n


class CompletionRequest(Struct, frozen=True, kw_only=True, tag="completion"):
    """Raw prompts to be continued, without a chat template."""

    kind: ClassVar[Kind] = "completion"

    model: str
    prompts: tuple[Prompt, ...]
    suffix: str | None = None  # what comes after the answer: fill in the middle
    echo: bool = False  # begin the text with the prompt itself
    sampling: Sampling = Sampling()
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    rules: TokenRules = TokenRules()
    logprobs: int | None = None  # how many alternatives with each token; None: no log probabilities
    prompt_logprobs: int | None = None  # the same for the tokens of the prompt
    returns_token_ids: bool = False  # of the prompt and of the answer
    prompt_limit: int | None = None  # of a longer prompt the last tokens are kept: so many; -1: what fits
    speculates: bool = True  # False: no tokens are drafted for it
    n: int = 1  # how many answers to each prompt
    schema: str = ""  # JSON text of the schema that each answer must follow
    has_strict_schema: bool = False  # it is refused where it cannot be enforced as a whole
    grammar: AnswerGrammar | None = None  # another form that it must have
    ignores_end: bool = False
    user: str = ""
    lora: Lora | None = None  # that `model` names; the site looks it up once the model is leased

    @property
    def answers(self) -> int:
        return self.n * len(self.prompts)


class TokenizeRequest(Struct, frozen=True, kw_only=True, tag="tokenize"):
    """What a request's prompt would be, in tokens: nothing is computed."""

    kind: ClassVar[Kind] = "tokenize"

    of: ChatRequest | CompletionRequest
    # Of a raw text: whether it gets what the tokenizer puts around one; None: as a prompt has it.
    adds_special: bool | None = None
    with_pieces: bool = False  # return what each token stands for

    @property
    def model(self) -> str:
        return self.of.model


class DetokenizeRequest(Struct, frozen=True, kw_only=True, tag="detokenize"):
    """The text that these token ids stand for."""

    kind: ClassVar[Kind] = "detokenize"

    model: str
    tokens: tuple[int, ...]


class EmbeddingRequest(Struct, frozen=True, kw_only=True, tag="embedding"):
    """Texts to be turned into vectors of `dimensions` numbers (None: as many as the model has)."""

    kind: ClassVar[Kind] = "embedding"

    model: str
    inputs: tuple[Prompt, ...]
    dimensions: int | None = None
    truncates: bool = False  # a text longer than the model's context is cut at its end, and not refused
    input_limit: int | None = None  # of a longer input the last tokens are kept: so many; -1: what fits
    user: str = ""


class RerankRequest(Struct, frozen=True, kw_only=True, tag="rerank"):
    """Documents to be scored for a query; one that is longer than the model takes is cut at its end."""

    kind: ClassVar[Kind] = "rerank"

    model: str
    query: str
    documents: tuple[str, ...]
    max_tokens_per_document: int | None = None  # more are cut; None: as many as fit
    user: str = ""


GenerationRequest = ChatRequest | CompletionRequest
Request = GenerationRequest | TokenizeRequest | DetokenizeRequest | EmbeddingRequest | RerankRequest
