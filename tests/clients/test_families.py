"""What clients ask, prepared for models of families with different templates: none of it is refused there."""

from functools import cache

import pytest

from inference.adapters import Adapter
from inference.core.requests import ChatRequest
from inference.worker.sampling.grammar_compiler import GrammarCompiler
from tests.adapters.family_models import LLAMA_TOOLS, make, real
from tests.api.openai.asking import post
from tests.clients.recorded import recorded
from tests.clients.test_recorded import REFUSED
from tests.fakes import FakeRunner, serving
from tests.tiny import CHATML
from tests.worker.sampling.test_grammar import around

pytestmark = [pytest.mark.mlx, pytest.mark.django_db(transaction=True)]
CHATS = [one for one in recorded() if "completions" not in one.path or "chat" in one.path]
CHATS = [one for one in CHATS if one.name not in REFUSED and "embeddings" not in one.path]
FAMILIES = {
    "a reasoner with a switch": lambda: real("qwen3", "qwen3"),
    "calls without a marker": lambda: real("llama3_2", "llama", LLAMA_TOOLS),
    "no tools and no reasoning": lambda: make(CHATML),
}


@cache
def prepared(family: str) -> tuple[Adapter, GrammarCompiler]:
    """A model's adapter and compiler, which serve one request after the other, as in a worker."""
    model, _ = around(*FAMILIES[family]())
    return model.adapter, GrammarCompiler(model)


@pytest.mark.parametrize("name", [one.name for one in CHATS])
async def test_a_model_of_any_family_can_be_asked_it(name: str, subtests: pytest.Subtests) -> None:
    (request,) = [one for one in CHATS if one.name == name]
    runner = FakeRunner()
    with serving(runner):
        assert (await post(request.path, request.asking("tiny"), headers=request.headers)).status_code == 200
    asked = runner.requests[0]
    assert isinstance(asked, ChatRequest)
    for family in FAMILIES:
        with subtests.test(family):
            adapter, compiler = prepared(family)
            prompt = adapter.render(asked)
            compiler.of(asked, prompt)
            assert prompt
