from inference.core.events import Usage
from inference.core.requests import (
    ChatRequest,
    CompletionRequest,
    EmbeddingRequest,
    Message,
    Request,
    RerankRequest,
    Sampling,
)
from inference.serving.genai_attributes import of_request, of_usage
from tests.each import each

SECRET = "zanzibar"
CHAT = ChatRequest(model="m", messages=(Message(role="user", content=SECRET),), stop=(SECRET,))


@each(
    ("request_", "operation"),
    [
        (CHAT, "chat"),
        (CompletionRequest(model="m", prompts=(SECRET,)), "text_completion"),
        (EmbeddingRequest(model="m", inputs=(SECRET,), dimensions=8), "embeddings"),
        (RerankRequest(model="m", query=SECRET, documents=(SECRET,)), "rerank"),
    ],
)
def test_each_request_has_its_operation_and_no_text(request_: Request, operation: str) -> None:
    attributes = of_request(request_)
    assert attributes["gen_ai.operation.name"] == operation
    assert attributes["gen_ai.request.model"] == "m"
    assert SECRET not in str(attributes)


def test_what_was_not_asked_for_is_left_out() -> None:
    assert set(of_request(CHAT)) == {"gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model"}
    greedy = ChatRequest(model="m", messages=(), sampling=Sampling(temperature=0.0))
    assert of_request(greedy)["gen_ai.request.temperature"] == 0.0
    vectors = EmbeddingRequest(model="m", inputs=("x",), dimensions=8)
    assert of_request(vectors)["gen_ai.embeddings.dimension.count"] == 8


def test_the_usage_has_its_parts() -> None:
    usage = Usage(prompt_tokens=7, completion_tokens=5, cached_tokens=3, reasoning_tokens=2)
    assert sorted(of_usage(usage).values(), key=str) == [2, 3, 5, 7]
