import json
import struct
from typing import Any

from inference.core.events import Accepted, Embedded, Finished, Tokenized, Usage
from inference.core.requests import EmbeddingRequest
from tests.api.ollama.asking import ask, error_of
from tests.each import each
from tests.fakes import EventRunner, card, serving

ONE, OTHER = (0.5, -0.25, 1.0), (1.0, 0.0, 0.125)


def telling(*vectors: tuple[float, ...]) -> EventRunner:
    embedded = Embedded(vectors=tuple(struct.pack("<3f", *vector) for vector in vectors))
    return EventRunner(Accepted(prompt_tokens=7), embedded, Finished(usage=Usage(prompt_tokens=7)))


async def asked(endpoint: str, runner: EventRunner, **fields: Any) -> tuple[Any, Any]:
    with serving(runner, cards=[card(kind="embedding")]):
        response = await ask(endpoint, **fields)
    assert response.status_code == 200, response.content
    return json.loads(response.content), runner.requests[0]


async def test_each_input_has_its_vector() -> None:
    answer, request = await asked("embed", telling(ONE, OTHER), input=["Once", "more"], model="tiny:latest")
    assert answer["embeddings"] == [list(ONE), list(OTHER)]
    assert (answer["model"], answer["prompt_eval_count"]) == ("tiny:latest", 7)
    assert answer["total_duration"] >= answer["load_duration"] >= 0
    assert request == EmbeddingRequest(model="tiny", inputs=("Once", "more"), truncates=True)


async def test_the_older_endpoint_takes_one_text_and_cuts_nothing() -> None:
    answer, request = await asked("embeddings", telling(ONE), prompt="Once")
    assert answer == {"embedding": list(ONE)}
    assert request == EmbeddingRequest(model="tiny", inputs=("Once",))


@each(
    ("fields", "name", "value"),
    [
        ({"truncate": False}, "truncates", False),
        ({"truncate": True}, "truncates", True),
        ({"dimensions": 2}, "dimensions", 2),
        ({"dimensions": 0}, "dimensions", None),
        ({"options": {"num_ctx": 5}, "keep_alive": "5m"}, "inputs", ("Once",)),
    ],
)
async def test_a_field_reaches_the_model(fields: dict[str, Any], name: str, value: Any) -> None:
    _, request = await asked("embed", telling(ONE), **({"input": "Once"} | fields))
    assert getattr(request, name) == value


@each(("endpoint", "fields"), [("embed", {"input": ""}), ("embed", {"input": []}), ("embeddings", {})])
async def test_nothing_loads_the_model(endpoint: str, fields: dict[str, Any]) -> None:
    dry = Tokenized(tokens=((1,),), texts=("a",), context_length=8)
    runner = EventRunner(Accepted(prompt_tokens=0), dry, Finished(usage=Usage(prompt_tokens=1)))
    answer, _ = await asked(endpoint, runner, **fields)
    assert answer.get("embeddings", answer.get("embedding")) == []
    assert runner.loads == ["tiny"]


async def test_a_chat_model_is_refused() -> None:
    with serving(telling(ONE)):
        response = await ask("embed", input="Once")
    assert response.status_code == 400 and "returns text" in error_of(response)
