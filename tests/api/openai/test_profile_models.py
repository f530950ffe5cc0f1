"""Profiles as models: in the lists and requests of every dialect."""

import json
from typing import Any

import pytest
from django.test import AsyncClient

from inference.core.model_card import LoraCard
from inference.core.profile import Profile
from inference.core.requests import ChatRequest, Sampling, TokenizeRequest
from tests.api.openai.asking import HELLO, chat, error_of, post
from tests.fakes import FakeRunner, card, serving

pytestmark = pytest.mark.django_db(transaction=True)
TERSE = Profile(name="terse", system="Be terse.", sampling=Sampling(temperature=0.1))
LORA = LoraCard(name="pirate", path="/p")
CARDS = [
    card(
        profiles=(TERSE, Profile(name="pirate")),
        loras=(LORA,),
        aliases=("t", "gpt-*"),
        sampling=Sampling(temperature=0.7, top_k=9),
    )
]


async def got(path: str, **headers: str) -> Any:
    return json.loads((await AsyncClient().get(path, headers=headers)).content)


async def test_every_dialect_lists_each_profile_behind_its_model() -> None:
    with serving(FakeRunner(), cards=CARDS):
        listed = await got("/v1/models")
        anthropic = await got("/v1/models", **{"anthropic-version": "2023-06-01"})
        tags = await got("/ollama/api/tags")
        shown = await got("/v1/models/t:terse")
        shown_by_ollama = await post("/ollama/api/show", {"model": "tiny:terse"})
    expected = ["tiny", "tiny:pirate", "tiny:terse"]
    assert [model["id"] for model in listed["data"]] == expected
    assert [model["slug"] for model in listed["models"]] == expected
    assert [model["id"] for model in anthropic["data"]] == expected
    names = ["tiny:latest", "t:latest", "tiny:pirate", "t:pirate", "tiny:terse", "t:terse"]
    assert [model["name"] for model in tags["models"]] == names
    assert (shown["id"], shown["parent"]) == ("tiny:terse", "tiny")
    assert "temperature 0.1" in json.loads(shown_by_ollama.content)["modelfile"].lower()


async def test_every_dialect_answers_with_the_profile() -> None:
    runner = FakeRunner()
    with serving(runner, cards=CARDS):
        answers = [
            await chat(model="tiny:terse"),
            await post("/v1/responses", {"model": "tiny:terse", "input": "Hello"}),
            await post("/v1/messages", {"model": "tiny:terse", "max_tokens": 9, "messages": HELLO}),
            await post("/ollama/api/chat", {"model": "t:terse", "stream": False, "messages": HELLO}),
            await post("/v1/messages/count_tokens", {"model": "tiny:terse", "messages": HELLO}),
        ]
    assert [answer.status_code for answer in answers[:4]] == [200] * 4
    asked = [one.of if isinstance(one, TokenizeRequest) else one for one in runner.requests]
    assert len(asked) == 5
    for request in asked:
        assert isinstance(request, ChatRequest)
        assert [(one.role, one.content) for one in request.messages] == [
            ("system", "Be terse."),
            ("user", "Hello"),
        ]
    for request in asked[:4]:
        assert isinstance(request, ChatRequest)
        assert (request.sampling.temperature, request.sampling.top_k) == (0.1, 9)
    assert json.loads(answers[0].content)["model"] == "tiny:terse"


async def test_the_model_itself_and_its_adapter_have_no_profile() -> None:
    runner = FakeRunner()
    with serving(runner, cards=CARDS):
        await chat(model="tiny")
        await chat(model="tiny:pirate")
        await chat(model="tiny:terse", temperature=1.5)
    plain, adapted, own = runner.requests
    assert (
        isinstance(plain, ChatRequest) and isinstance(adapted, ChatRequest) and isinstance(own, ChatRequest)
    )
    assert (plain.sampling.temperature, len(plain.messages)) == (0.7, 1)
    assert adapted.lora and adapted.lora.name == "pirate"
    assert own.sampling.temperature == 1.5 and len(own.messages) == 2


async def test_a_stored_response_goes_on_without_the_text_twice() -> None:
    runner = FakeRunner()
    with serving(runner, cards=CARDS):
        first = json.loads((await post("/v1/responses", {"model": "tiny:terse", "input": "a"})).content)
        again = {"model": "tiny:terse", "input": "b", "previous_response_id": first["id"]}
        await post("/v1/responses", again)
    last = runner.requests[-1]
    assert isinstance(last, ChatRequest)
    assert [message.role for message in last.messages] == ["system", "user", "assistant", "user"]
    assert last.messages[0].content == "Be terse."


async def test_an_unknown_profile_is_404_and_names_the_others() -> None:
    with serving(FakeRunner(), cards=CARDS):
        response = await chat(model="tiny:none")
    assert response.status_code == 404
    assert error_of(response)["message"] == (
        "The model 'tiny' has no adapter or profile 'none'; it has: 'pirate', 'terse', 'pirate'."
    )
