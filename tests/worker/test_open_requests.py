"""The worker's open requests with an engine played by the test: what one answer suffers, no other does."""

import queue
from typing import Any

import pytest

from inference.core.events import Accepted, Ended, Finished, Progress, TextDelta, Tokenized
from inference.core.protocol import MAX_FRAME_BYTES, FrameTooLarge, Load, Step, Submit, encode
from inference.core.requests import (
    ChatRequest,
    CompletionRequest,
    DetokenizeRequest,
    Message,
    Sampling,
    TokenizeRequest,
)
from inference.worker.engine.commands import Add, Command, Remove
from inference.worker.engine.sequence import Prefilled, Sampled, Scored
from inference.worker.model.loading import LoadedModel
from inference.worker.open_requests import OpenRequests
from inference.worker.sampling.grammar import GrammarFailure
from inference.worker.sampling.token_sampler import Logprob
from tests.adapters.family_models import make
from tests.tiny import CHATML, SPECIAL

pytestmark = pytest.mark.mlx


class Desk:
    """Requests between a queue of engine commands and a queue of what the site is told."""

    def __init__(
        self, unknown_tokens: int = 0, *, context_length: int = 100, most_bytes: int = MAX_FRAME_BYTES
    ) -> None:
        adapter, tokenizer = make(CHATML)
        model = LoadedModel(
            model=None,  # type: ignore[arg-type]  # no engine steps here
            tokenizer=tokenizer,
            adapter=adapter,
            own_sampling=Sampling(temperature=0.2),
            context_length=context_length,
            vocab_size=tokenizer.size - unknown_tokens,
            device="cpu",
            seconds=0.0,
        )
        self.tokenizer = tokenizer
        self.commands: queue.Queue[Command] = queue.Queue()
        self.told: queue.Queue[Any] = queue.Queue()
        self._most_bytes = most_bytes
        self.requests = OpenRequests(model, Load(model="m", path=""), self.commands.put, self._send)

    def _send(self, frame: Any) -> None:
        if len(encode(frame)) > self._most_bytes:
            raise FrameTooLarge
        self.told.put(frame)

    def submit_echo(self, number: int, prompt: Any = "Once", **fields: Any) -> None:
        """Submit a prompt whose log probabilities are asked for, and no answer."""
        own = {"echo": True, "logprobs": 5, "max_tokens": 0} | fields
        request = CompletionRequest(model="m", prompts=(prompt,), **own)
        self.requests.prepare(Submit(id=number, request=request))

    def until_finished(self) -> list[Step]:
        steps: list[Step] = []
        while not any(isinstance(item.what, Finished) for step in steps for item in step.happened):
            steps.append(self.told.get(timeout=30))
        return steps

    def submit(self, number: int, **fields: Any) -> Add:
        """Submit a completion and wait until the engine is asked to run it."""
        request = CompletionRequest(model="m", prompts=("Once",), **fields)
        self.requests.prepare(Submit(id=number, request=request))
        assert isinstance(self.hear(number), Accepted)
        command = self.commands.get(timeout=5)
        assert isinstance(command, Add)
        return command

    def say(self, number: int, text: str, last: bool = False) -> None:
        ids = self.tokenizer.encode(text)
        for i, token in enumerate(ids):
            is_end = last and i == len(ids) - 1
            self.requests.deliver([Sampled(number, token, "length" if is_end else None)])

    def hear(self, number: int) -> Any:
        """The next thing told of this request."""
        step = self.told.get(timeout=5)
        assert isinstance(step, Step)
        (happened,) = [item for item in step.happened if item.id == number][:1]
        return happened.what or happened.failure


def test_what_a_request_leaves_open_is_the_models_own() -> None:
    assert Desk().submit(1, max_tokens=3).sequences[0].sampling.temperature == 0.2
    assert (
        Desk().submit(1, max_tokens=3, sampling=Sampling(temperature=1.5)).sequences[0].sampling.temperature
        == 1.5
    )


def test_tokens_become_text_and_an_end() -> None:
    desk = Desk()
    desk.submit(1, max_tokens=2)
    desk.say(1, "ab", last=True)
    assert [type(desk.hear(1)) for _ in range(2)] == [TextDelta, TextDelta]


def test_a_stop_string_takes_the_sequence_out_of_the_batch() -> None:
    desk = Desk()
    desk.submit(1, max_tokens=50, stop=("b",))
    desk.say(1, "abc")
    assert desk.hear(1).text == "a"
    assert desk.hear(1) == Ended(reason="stop")
    assert desk.commands.get(timeout=5) == Remove(1)


def test_one_answers_broken_text_ends_that_answer_only() -> None:
    desk = Desk()
    desk.submit(1, max_tokens=50)
    desk.submit(2, max_tokens=50)
    desk.requests.deliver([Sampled(1, "no token id", None)])  # type: ignore[arg-type]
    assert desk.hear(1).code == "internal_error"
    desk.say(2, "x")
    assert desk.hear(2).text == "x"


def test_an_answer_that_could_not_follow_its_schema_ends_with_the_field_that_asked_for_it() -> None:
    desk = Desk()
    desk.submit(1, max_tokens=50)
    desk.submit(2, max_tokens=50)
    broken = Logprob(
        0.0, failure=GrammarFailure("Nothing follows the schema.", "tools.0.function.parameters")
    )
    desk.requests.deliver([Sampled(1, 5, "stop", broken)])
    failure = desk.hear(1)
    assert (failure.code, failure.param) == ("invalid_value", "tools.0.function.parameters")
    assert desk.commands.get(timeout=5) == Remove(1)
    desk.say(2, "x")
    assert desk.hear(2).text == "x"


def test_what_the_engine_still_made_of_a_left_request_is_nobodys() -> None:
    desk = Desk()
    desk.submit(1, max_tokens=50)
    desk.requests.cancel(1)
    desk.say(1, "x")
    assert [desk.commands.get(timeout=5) for _ in range(2)] == [Remove(1), Remove(1)]
    assert desk.told.empty()


def test_lost_sequences_are_told_so() -> None:
    desk = Desk()
    desk.submit(1, max_tokens=50)
    desk.requests.fail([1, 99])
    assert desk.hear(1).code == "internal_error"


def test_a_token_beyond_the_models_vocabulary_is_refused() -> None:
    desk = Desk(unknown_tokens=1)
    request = CompletionRequest(model="m", prompts=(SPECIAL[-1],), max_tokens=3)
    desk.requests.prepare(Submit(id=1, request=request))
    refusal = desk.hear(1)
    assert (refusal.code, refusal.param) == ("invalid_value", "prompt")
    assert desk.commands.empty()


@pytest.mark.parametrize("bias", [(10**9, 5.0), (-1, 1.0), (5, float("nan"))])
def test_a_bias_that_would_write_beyond_the_logits_is_refused(bias: tuple[int, float]) -> None:
    desk = Desk()
    request = CompletionRequest(model="m", prompts=("Once",), sampling=Sampling(logit_bias=(bias,)))
    desk.requests.prepare(Submit(id=1, request=request))
    refusal = desk.hear(1)
    assert (refusal.code, refusal.param) == ("invalid_value", "logit_bias")
    assert desk.commands.empty()


def test_cached_tokens_are_part_of_the_usage() -> None:
    desk = Desk()
    desk.submit(1, max_tokens=1)
    desk.requests.deliver([Prefilled(1, 4, 4, cached=3)])
    desk.say(1, "a", last=True)
    assert desk.hear(1) == Progress(phase="prefill", done=4, total=4, cached=3)
    step = desk.told.get(timeout=5)
    assert step.happened[-1].what.usage.cached_tokens == 3


@pytest.mark.parametrize("kind", ["chat", "completion"])
def test_a_prompt_far_beyond_the_context_is_refused_before_it_is_tokenised(kind: str) -> None:
    desk, text = Desk(), "x" * 2_000_000
    chat = ChatRequest(model="m", messages=(Message(role="user", content=text),))
    request = chat if kind == "chat" else CompletionRequest(model="m", prompts=(text,))
    desk.requests.prepare(Submit(id=1, request=request))
    refusal = desk.hear(1)
    assert refusal.code == "context_length_exceeded" and "at least" in refusal.message


def test_every_answer_of_a_request_ends_by_itself() -> None:
    desk = Desk()
    first, second = desk.submit(1, max_tokens=50, n=2).sequences
    desk.say(second.id, "c", last=True)
    desk.say(first.id, "ab", last=True)
    told: list[Any] = []
    while not told or not isinstance(told[-1], Finished):
        told += [item.what for item in desk.told.get(timeout=5).happened]
    assert told == [
        TextDelta(text="c", index=1),
        Ended(reason="length", index=1),
        TextDelta(text="a", index=0),
        TextDelta(text="b", index=0),
        Ended(reason="length", index=0),
        told[-1],
    ]
    assert told[-1].usage.completion_tokens == 3


def test_a_lost_answer_ends_the_request_and_frees_the_others() -> None:
    desk = Desk()
    first, second = desk.submit(1, max_tokens=50, n=2).sequences
    desk.requests.fail([second.id])
    assert desk.hear(1).code == "internal_error"
    assert {desk.commands.get(timeout=5) for _ in range(2)} == {Remove(first.id), Remove(second.id)}


def test_copies_draw_with_the_seeds_that_follow() -> None:
    sequences = Desk().submit(1, max_tokens=5, n=3, sampling=Sampling(seed=7)).sequences
    assert [sequence.sampling.seed for sequence in sequences] == [7, 8, 9]


@pytest.mark.parametrize(
    ("asked", "used"),
    [
        (Sampling(), (0.2, 1.0, 0.0)),
        (Sampling(temperature=0.7, top_p=0.5), (0.7, 0.5, 0.0)),
        (Sampling(temperature=0.0, presence_penalty=1.5), (0.0, 1.0, 1.5)),
    ],
)
def test_it_tells_what_the_tokens_are_drawn_with(asked: Sampling, used: tuple[float, ...]) -> None:
    desk = Desk()
    request = ChatRequest(model="m", messages=(Message(role="user", content="hi"),), sampling=asked)
    desk.requests.prepare(Submit(id=1, request=request))
    told = desk.hear(1).sampling
    assert (told.temperature, told.top_p, told.presence_penalty) == used


def test_leaving_frees_every_sequence() -> None:
    desk = Desk()
    sequences = desk.submit(1, max_tokens=50, n=3).sequences
    desk.requests.cancel(1)
    assert [desk.commands.get(timeout=5) for _ in sequences] == [Remove(one.id) for one in sequences]


def test_tokens_are_told_without_the_engine() -> None:
    desk = Desk()
    prompt = CompletionRequest(model="m", prompts=("Once", "ab"))
    desk.requests.prepare(Submit(id=1, request=TokenizeRequest(of=prompt)))
    step = desk.told.get(timeout=5)
    accepted, told, finished = [happened.what for happened in step.happened]
    assert (accepted, told.texts) == (Accepted(prompt_tokens=0), ("Once", "ab"))
    assert isinstance(told, Tokenized) and desk.commands.empty()
    assert finished.usage.prompt_tokens == sum(map(len, told.tokens)) == 6


def test_a_dry_run_is_what_the_request_is_given() -> None:
    desk = Desk()
    request = ChatRequest(model="m", messages=(Message(role="user", content="hi"),), max_tokens=3)
    desk.requests.prepare(Submit(id=1, request=TokenizeRequest(of=request)))
    told = desk.told.get(timeout=5).happened[1].what
    desk.requests.prepare(Submit(id=2, request=request))
    command = desk.commands.get(timeout=5)
    assert isinstance(command, Add) and told.tokens == (command.sequences[0].prompt,)
    assert told.texts == ("<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n",)


def test_token_ids_become_text() -> None:
    desk = Desk()
    ids = tuple(desk.tokenizer.encode("h\u00e9 \u4f60"))
    desk.requests.prepare(Submit(id=1, request=DetokenizeRequest(model="m", tokens=ids)))
    assert desk.told.get(timeout=5).happened[1].what.texts == ("h\u00e9 \u4f60",)


def test_an_id_the_model_does_not_have_is_no_text() -> None:
    desk = Desk()
    desk.requests.prepare(Submit(id=1, request=DetokenizeRequest(model="m", tokens=(1, 99_999))))
    refusal = desk.hear(1)
    assert (refusal.code, refusal.param) == ("invalid_value", "tokens")


def scored(number: int, tokens: int, tops: int) -> Scored:
    top = tuple((place, -1.5) for place in range(tops))
    return Scored(number, (65,) * tokens, tuple(Logprob(-0.5, top) for _ in range(tokens - 1)))


def test_the_echoes_of_a_long_prompt_travel_in_frames_the_site_takes() -> None:
    """Eight copies of one prompt's log probabilities were one frame, which ended the worker for everybody."""
    desk = Desk()
    desk.submit_echo(1, n=8)
    desk.requests.deliver([scored(number, 20_000, 5) for number in range(1, 9)])
    told = desk.until_finished()
    assert max(len(encode(step)) for step in told) < 4 * 2**20
    deltas = [h.what for step in told for h in step.happened if isinstance(h.what, TextDelta)]
    for index in range(8):
        own = [delta for delta in deltas if delta.index == index]
        assert sum(len(delta.logprobs) for delta in own) == 20_000
        assert [delta.text for delta in own if delta.text] == [own[0].text]


def test_a_frame_that_is_too_large_costs_its_own_requests_only() -> None:
    desk = Desk(most_bytes=20_000)
    desk.submit_echo(1)
    assert isinstance(desk.hear(1), Accepted)
    desk.submit(9, max_tokens=2)
    desk.requests.deliver([scored(1, 500, 5)])
    assert desk.hear(1).code == "internal_error"
    desk.say(2, "ab", last=True)
    assert desk.hear(9).text == "a"


@pytest.mark.parametrize(("logprobs", "n", "tokens"), [(5, 8, 25_000), (0, 8, 130_000), (20, 1, 50_000)])
def test_an_echo_of_millions_of_log_probabilities_is_refused(logprobs: int, n: int, tokens: int) -> None:
    desk = Desk(context_length=10**6)
    desk.submit_echo(1, (65,) * tokens, n=n, logprobs=logprobs)
    refusal = desk.hear(1)
    assert (refusal.code, refusal.param) == ("invalid_value", "logprobs")
    desk.submit_echo(2, (65,) * 100, n=n, logprobs=logprobs)
    assert isinstance(desk.hear(2), Accepted)
