import base64
import json
import struct
from typing import Any

from inference.core.events import Accepted, Embedded, Finished, Usage
from inference.core.requests import EmbeddingRequest
from tests.api.openai.asking import HELLO, error_of, post
from tests.each import each
from tests.fakes import EventRunner, FakeRunner, card, serving

ONE, OTHER = (0.5, -0.25, 1.0), (1.0, 0.0, 0.125)
EMBEDDER = card(kind="embedding")


def telling(*vectors: tuple[float, ...]) -> EventRunner:
    embedded = Embedded(vectors=tuple(struct.pack("<3f", *vector) for vector in vectors))
    return EventRunner(Accepted(prompt_tokens=7), embedded, Finished(usage=Usage(prompt_tokens=7)))


async def asked(runner: EventRunner, **fields: Any) -> tuple[Any, EmbeddingRequest]:
    with serving(runner, cards=[EMBEDDER]):
        response = await post("/v1/embeddings", {"model": "tiny"} | fields)
    assert response.status_code == 200, response.content
    (request,) = runner.requests
    assert isinstance(request, EmbeddingRequest)
    return json.loads(response.content), request


async def test_each_input_has_its_vector() -> None:
    answer, request = await asked(telling(ONE, OTHER), input=["Once", "more"], user="ann")
    assert answer == {
        "object": "list",
        "model": "tiny",
        "data": [
            {"object": "embedding", "index": 0, "embedding": list(ONE)},
            {"object": "embedding", "index": 1, "embedding": list(OTHER)},
        ],
        "usage": {"prompt_tokens": 7, "total_tokens": 7},
    }
    assert (request.inputs, request.user) == (("Once", "more"), "ann")


async def test_base64_holds_little_endian_floats() -> None:
    answer, _ = await asked(telling(ONE), input="Once", encoding_format="base64")
    assert struct.unpack("<3f", base64.b64decode(answer["data"][0]["embedding"])) == ONE


@each(
    ("given", "inputs"),
    [
        ("Once", ("Once",)),
        ([1, 2], ((1, 2),)),
        ([[1, 2], "Once"], ((1, 2), "Once")),
    ],
)
async def test_an_input_is_text_or_token_ids(given: Any, inputs: tuple[Any, ...]) -> None:
    _, request = await asked(telling(*[ONE] * len(inputs)), input=given)
    assert request.inputs == inputs


async def test_dimensions_are_asked_of_the_model() -> None:
    _, request = await asked(telling(ONE), input="Once", dimensions=3)
    assert request.dimensions == 3


@each(
    ("fields", "param"),
    [
        ({}, "input"),
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": [""]}, "input.0"),
        ({"input": [True]}, "input.0"),
        ({"input": ["x"] * 2049}, "input"),
        ({"input": "x", "encoding_format": "hex"}, "encoding_format"),
        ({"input": "x", "encoding_format": "ubinary"}, "encoding_format"),
        ({"input": "x", "truncate": "START"}, "truncate"),
        ({"input": "x", "truncate": 5}, "truncate"),
        ({"input": "x", "input_type": "query"}, "input_type"),
        ({"input": "x", "task": "retrieval.query"}, "task"),
        ({"input": "x", "output_dtype": "int8"}, "output_dtype"),
        ({"input": "x", "dimensions": 0}, "dimensions"),
        ({"input": "x", "stream": True}, "stream"),
    ],
)
async def test_what_is_wrong_is_named(fields: dict[str, Any], param: str) -> None:
    runner = FakeRunner()
    with serving(runner, cards=[EMBEDDER]):
        response = await post("/v1/embeddings", {"model": "tiny"} | fields)
    assert (response.status_code, error_of(response)["param"]) == (400, param)
    assert runner.loads == []


@each(
    ("address", "body", "kind", "says"),
    [
        ("embeddings", {"input": "x"}, "chat", "returns text"),
        ("chat/completions", {"messages": HELLO}, "embedding", "/v1/embeddings"),
        ("completions", {"prompt": "x"}, "embedding", "/v1/embeddings"),
    ],
)
async def test_a_model_of_the_wrong_kind_is_refused_before_it_is_loaded(
    address: str, body: dict[str, Any], kind: str, says: str
) -> None:
    runner = FakeRunner()
    with serving(runner, cards=[card(kind=kind)]):
        response = await post(f"/v1/{address}", {"model": "tiny"} | body)
    error = error_of(response)
    assert (response.status_code, error["param"]) == (400, "model")
    assert says in error["message"] and runner.loads == []


async def test_a_header_reports_how_many_tokens_were_cut() -> None:
    vectors = Embedded(vectors=(struct.pack("<3f", 1, 0, 0),))
    runner = EventRunner(
        Accepted(prompt_tokens=5, cut_tokens=7), vectors, Finished(usage=Usage(prompt_tokens=5))
    )
    with serving(runner, cards=[card(kind="embedding")]):
        response = await post("/v1/embeddings", {"model": "tiny", "input": "Hi", "truncate_prompt_tokens": 5})
        both = await post(
            "/v1/embeddings", {"model": "tiny", "input": "Hi", "truncate": True, "truncate_prompt_tokens": 5}
        )
    assert (response.status_code, response["x-mlx-truncated-tokens"]) == (200, "7")
    assert (both.status_code, json.loads(both.content)["error"]["param"]) == (400, "truncate_prompt_tokens")
