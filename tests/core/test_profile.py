from msgspec import structs

from inference.core.profile import Profile
from inference.core.requests import (
    ChatRequest,
    Checkpoint,
    CompletionRequest,
    EmbeddingRequest,
    Message,
    Sampling,
    TokenizeRequest,
)

PROFILE = Profile(
    name="terse",
    sampling=Sampling(temperature=0.1, top_k=5),
    template_options=(("enable_thinking", False), ("lang", "de")),
    system="Be terse.",
)
ASKED = ChatRequest(model="tiny:terse", messages=(Message(role="user", content="Hi"),))


def applied(**changes: object) -> ChatRequest:
    found = PROFILE.applied_to(structs.replace(ASKED, **changes))
    assert isinstance(found, ChatRequest)
    return found


def test_what_a_request_leaves_open_is_the_profiles() -> None:
    found = applied()
    assert found.messages == (Message(role="system", content="Be terse."), *ASKED.messages)
    assert (found.sampling.temperature, found.sampling.top_k, found.sampling.top_p) == (0.1, 5, None)
    assert (found.thinking, dict(found.template_options)) == (False, {"lang": "de"})


def test_a_requests_own_fields_win() -> None:
    found = applied(
        sampling=Sampling(temperature=0.9), thinking=True, template_options=(("lang", "fr"), ("x", 1))
    )
    assert (found.sampling.temperature, found.sampling.top_k) == (0.9, 5)
    assert (found.thinking, dict(found.template_options)) == (True, {"lang": "fr", "x": 1})
    assert applied(effort="high").thinking is None
    assert applied(thinking_budget=9).thinking is None


def test_an_effort_of_a_profile_is_the_requests() -> None:
    profile = Profile(name="hard", template_options=(("reasoning_effort", "high"),))
    for changes, effort in (({}, "high"), ({"effort": "low"}, "low"), ({"thinking": False}, "")):
        found = profile.applied_to(structs.replace(ASKED, **changes))
        assert isinstance(found, ChatRequest) and (found.effort, found.template_options) == (effort, ())


def test_its_system_text_comes_before_the_requests_own() -> None:
    own = (Message(role="system", content="Speak German."), *ASKED.messages)
    marks = (Checkpoint(message=0, characters=0), Checkpoint(message=0, characters=13))
    found = applied(messages=own, checkpoints=marks)
    assert [message.content for message in found.messages] == ["Be terse.\n\nSpeak German.", "Hi"]
    assert found.checkpoints == (Checkpoint(message=0, characters=0), Checkpoint(message=0, characters=24))
    marks = (Checkpoint(message=0, characters=0), Checkpoint(message=0, characters=2))
    assert applied(checkpoints=marks).checkpoints == (marks[0], Checkpoint(message=1, characters=2))


def test_other_requests_have_what_they_know_of_it() -> None:
    counted = PROFILE.applied_to(TokenizeRequest(of=ASKED))
    assert isinstance(counted, TokenizeRequest) and counted.of == PROFILE.applied_to(ASKED)
    completed = PROFILE.applied_to(CompletionRequest(model="tiny:terse", prompts=("a",)))
    assert isinstance(completed, CompletionRequest) and completed.sampling.temperature == 0.1
    embedded = EmbeddingRequest(model="tiny:terse", inputs=("a",))
    assert PROFILE.applied_to(embedded) is embedded
    plain = Profile(name="x")
    assert plain.applied_to(ASKED) == ASKED
