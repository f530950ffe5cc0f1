"""The chats in the pictures, in the format of this site's exports."""

from datetime import UTC, datetime, timedelta
from typing import Any

QWEN, LLAMA = "mlx-community/Qwen3-8B-4bit", "mlx-community/Llama-3.2-3B-Instruct-4bit"
BALL = "How far does a thrown ball fly?"
RAINBOW = "Why is the sky blue, and the sunset red?"

THOUGHTS = """\
The user wants the range of a thrown ball. Without air the path is a parabola, so the range follows from the \
time in the air. I give the formula, a few lines of Python, and a table of angles.
"""
RANGE = r"""
Without air the path is a parabola. A ball thrown with the speed $v$ at the angle $\theta$ comes down after

$$R = \frac{v^2 \sin 2\theta}{g}$$

so it flies **farthest at 45°**, where $\sin 2\theta = 1$. In Python:

```python
from math import radians, sin

def distance(speed: float, angle: float, gravity: float = 9.81) -> float:
    "Metres that a ball flies over level ground."
    return speed**2 * sin(radians(2 * angle)) / gravity
```

A throw at 20 m/s, which is a good one:

| angle | distance | time in the air |
|--:|--:|--:|
| 30° | 35.3 m | 2.0 s |
| 45° | 40.8 m | 2.9 s |
| 60° | 35.3 m | 3.5 s |

Air takes about a tenth of it from a baseball, and more than half from a tennis ball.
"""
BLUE = """\
Sunlight has all colours. The molecules of the air scatter short waves far more than long ones: **blue light \
about ten times as much as red**. So blue reaches your eye from every direction.

At sunset the light crosses much more air:

- the blue is scattered out of the beam on its way,
- what is left is yellow, orange and red.
"""
BLUER = """\
It is called *Rayleigh scattering*.

1. Air scatters light with a strength of $1/\\lambda^4$.
2. Blue has a shorter wavelength than red, so it is scattered about 9 times as strongly.
3. By day you see that scattered blue. In the evening the way through the air is long; mostly red is left.
"""


def figures(tokens: int, rate: float, **more: Any) -> dict[str, Any]:
    return {
        "tokens": tokens,
        "per_second": rate,
        "first_token_s": 0.21,
        "prompt_tokens": 24,
        "cached_tokens": 0,
        "total_s": tokens / rate,
        "reason": "stop",
    } | more


def chat(title: str, ago: timedelta, *messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A chat that changed this long ago; without messages it has a short question and answer."""
    at = (datetime.now(UTC) - ago).isoformat()
    said = messages or (question(title), answer(2, 1, f"{title}: here is a short answer."))
    return {
        "format": "mlxsite-conversation-1",
        "title": title,
        "messages": [{**one, "at": at} for one in said],
        "created_at": at,
        "changed_at": at,
        "tip": said[-1]["id"],
    } | more


def question(text: str) -> dict[str, Any]:
    return {"id": 1, "parent": None, "role": "user", "content": text}


def answer(place: int, parent: int, text: str, model: str = QWEN, **more: Any) -> dict[str, Any]:
    return {
        "id": place,
        "parent": parent,
        "role": "assistant",
        "content": text,
        "model": model,
        "figures": figures(212, 61.0),
    } | more


def all_chats() -> list[dict[str, Any]]:
    """Newest last, as they were made."""
    hour, day = timedelta(hours=1), timedelta(days=1)
    ball = answer(2, 1, RANGE, reasoning=THOUGHTS, figures=figures(418, 58.4, thought_s=6.2))
    compared = (answer(2, 1, BLUE), answer(3, 1, BLUER, LLAMA, figures=figures(164, 117.0)))
    return [
        chat("Names for a grey cat", 40 * day),
        chat("A letter to the landlord", 12 * day, folder="Home"),
        chat("Sourdough, step by step", 9 * day, folder="Home"),
        chat("Regular expression for ISO dates", 5 * day, folder="Work"),
        chat("Minutes of the planning meeting", 4 * day, folder="Work"),
        chat("Explain Bayes with a ball and two urns", 3 * day),
        chat("Unit tests for the parser", day, folder="Work"),
        chat("A week of packed lunches", day),
        chat("Trip to Lisbon: three days, no car", 2 * day, is_pinned=True),
        chat("Translate: Wo ist der Ball?", 3 * hour),
        chat(RAINBOW, 2 * hour, question(RAINBOW), *compared),
        chat(BALL, hour / 4, question(BALL), ball),
    ]
