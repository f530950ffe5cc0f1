import json
from typing import Any

import pytest
from django.test import AsyncClient

from inference.core.events import Accepted, Finished, Reranked, Usage
from inference.core.requests import RerankRequest
from tests.api.openai.asking import HELLO, error_of, post
from tests.each import each
from tests.fakes import EventRunner, FakeRunner, card, serving

RERANKER = card(kind="rerank")
ASKED: dict[str, Any] = {"model": "tiny", "query": "Why?", "documents": ["so", "it is", "never"]}


def scoring(*scores: float, cut: int = 0) -> EventRunner:
    return EventRunner(
        Accepted(prompt_tokens=9), Reranked(scores=scores, cut=cut), Finished(usage=Usage(prompt_tokens=9))
    )


async def asked(runner: EventRunner, path: str = "/v1/rerank", **fields: Any) -> tuple[Any, RerankRequest]:
    with serving(runner, cards=[RERANKER]):
        response = await post(path, ASKED | fields)
    assert response.status_code == 200, response.content
    (request,) = runner.requests
    assert isinstance(request, RerankRequest)
    return json.loads(response.content), request


@each(("path", "version"), [("/v1/rerank", "1"), ("/rerank", "1"), ("/v2/rerank", "2")])
async def test_the_best_document_comes_first(path: str, version: str) -> None:
    answer, request = await asked(scoring(0.25, 0.75, 0.5), path)
    assert answer["results"] == [
        {"index": 1, "relevance_score": 0.75},
        {"index": 2, "relevance_score": 0.5},
        {"index": 0, "relevance_score": 0.25},
    ]
    assert answer["usage"] == {"prompt_tokens": 9, "total_tokens": 9}
    assert answer["meta"]["api_version"] == {"version": version}
    assert answer["meta"]["tokens"] == {"input_tokens": 9}
    assert (request.query, request.documents) == ("Why?", ("so", "it is", "never"))


@pytest.mark.parametrize("name", ["top_n", "top_k"])
async def test_only_so_many_are_returned(name: str) -> None:
    field: dict[str, Any] = {name: 2}
    answer, _ = await asked(scoring(0.25, 0.75, 0.5), **field)
    assert [result["index"] for result in answer["results"]] == [1, 2]


async def test_documents_are_texts_or_objects_and_come_back() -> None:
    documents = [{"text": "so", "title": "T"}, "it is"]
    answer, request = await asked(scoring(0.25, 0.75), documents=documents, return_documents=True, user="ann")
    assert [result["document"] for result in answer["results"]] == [{"text": "it is"}, {"text": "so"}]
    assert (request.documents, request.user) == (("so", "it is"), "ann")


async def test_equal_scores_keep_their_order() -> None:
    answer, _ = await asked(scoring(0.5, 0.5, 0.75))
    assert [result["index"] for result in answer["results"]] == [2, 0, 1]


@each(("fields", "most"), [({}, 4096), ({"max_tokens_per_doc": 5}, 5), ({"max_doc_length": 5}, 5)])
async def test_the_length_of_a_document_reaches_the_model(fields: dict[str, Any], most: int) -> None:
    _, request = await asked(scoring(0.5, 0.5, 0.5), **fields)
    assert request.max_tokens_per_document == most


async def test_documents_that_were_cut_are_reported() -> None:
    answer, _ = await asked(scoring(0.5, 0.5, 0.5, cut=2))
    assert answer["meta"]["warnings"][0].startswith("2 of the documents")


async def test_fields_that_describe_are_noted() -> None:
    with serving(scoring(0.5, 0.5, 0.5), cards=[RERANKER]):
        response = await post("/v1/rerank", ASKED | {"rank_fields": ["text"], "priority": 0})
    assert response["x-mlx-noted"] == "rank_fields, priority"


@each(
    ("fields", "param"),
    [
        ({"query": ""}, "query"),
        ({"query": None}, "query"),
        ({"documents": []}, "documents"),
        ({"documents": [5]}, "documents.0"),
        ({"documents": [{"title": "x"}]}, "documents.0.text"),
        ({"documents": ["x"] * 2049}, "documents"),
        ({"top_n": 0}, "top_n"),
        ({"max_tokens_per_doc": 0}, "max_tokens_per_doc"),
        ({"max_chunks_per_doc": 3}, "max_chunks_per_doc"),
        ({"truncation": False}, "truncation"),
        ({"return_embeddings": True}, "return_embeddings"),
        ({"stream": True}, "stream"),
    ],
)
async def test_what_is_wrong_is_named(fields: dict[str, Any], param: str) -> None:
    runner = FakeRunner()
    with serving(runner, cards=[RERANKER]):
        response = await post("/v1/rerank", ASKED | fields)
    assert (response.status_code, error_of(response)["param"]) == (400, param)
    assert runner.loads == []


@each(
    ("path", "body", "kind", "says"),
    [
        ("rerank", ASKED, "chat", "returns text"),
        ("rerank", ASKED, "embedding", "/v1/embeddings"),
        ("embeddings", {"input": "x"}, "rerank", "/v1/rerank"),
        ("chat/completions", {"messages": HELLO}, "rerank", "/v1/rerank"),
    ],
)
async def test_a_model_of_the_wrong_kind_is_refused_before_it_is_loaded(
    path: str, body: dict[str, Any], kind: str, says: str
) -> None:
    runner = FakeRunner()
    with serving(runner, cards=[card(kind=kind)]):
        response = await post(f"/v1/{path}", {"model": "tiny"} | body)
    error = error_of(response)
    assert (response.status_code, error["param"]) == (400, "model")
    assert says in error["message"] and runner.loads == []


@each("path", ["/rerank", "/v2/rerank", "/v1/rerank"])
async def test_what_is_not_post_is_an_error_in_json(path: str) -> None:
    assert error_of(await AsyncClient().get(path))["code"] == "method_not_allowed"
