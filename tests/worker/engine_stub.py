"""The worker's open requests with an engine that the test plays."""

import queue
from typing import Any

from inference.core.events import Accepted, Finished
from inference.core.protocol import MAX_FRAME_BYTES, FrameTooLarge, Load, Step, Submit, encode
from inference.core.requests import (
    CompletionRequest,
    Sampling,
)
from inference.worker.engine.commands import Add, Command
from inference.worker.engine.sequence import Sampled, Sequence
from inference.worker.model.loaded_model import LoadedModel
from inference.worker.open_requests import OpenRequests
from tests.adapters.family_models import make
from tests.tiny import CHATML


def sequences_of(command: Command) -> tuple[Sequence, ...]:
    """The sequences that the engine is to compute."""
    assert isinstance(command, Add)
    return tuple(one for one in command.sequences if isinstance(one, Sequence))


class EngineStub:
    """OpenRequests between a queue of engine commands and a queue of the frames that the site gets."""

    def __init__(
        self, unknown_tokens: int = 0, *, context_length: int = 100, max_frame_bytes: int = MAX_FRAME_BYTES
    ) -> None:
        adapter, tokenizer = make(CHATML)
        model = LoadedModel(
            model=None,  # no engine steps here
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
        self.frames: queue.Queue[Any] = queue.Queue()
        self._max_frame_bytes = max_frame_bytes
        self.requests = OpenRequests(model, Load(model="m", path=""), self.commands.put, self._send)

    def _send(self, frame: Any) -> None:
        if len(encode(frame)) > self._max_frame_bytes:
            raise FrameTooLarge
        self.frames.put(frame)

    def submit_echo(self, number: int, prompt: Any = "Once", **fields: Any) -> None:
        """Submit a prompt whose log probabilities are asked for, and no answer."""
        own = {"echo": True, "logprobs": 5, "max_tokens": 0} | fields
        request = CompletionRequest(model="m", prompts=(prompt,), **own)
        self.requests.prepare(Submit(id=number, request=request))

    def until_finished(self) -> list[Step]:
        """All frames up to the one with a Finished."""
        steps: list[Step] = []
        while not any(isinstance(item.what, Finished) for step in steps for item in step.happened):
            steps.append(self.frames.get(timeout=120))
        return steps

    def submit(self, number: int, **fields: Any) -> tuple[Sequence, ...]:
        """Submit a completion; returns the sequences, once the engine is asked to compute them."""
        request = CompletionRequest(model="m", prompts=("Once",), **fields)
        self.requests.prepare(Submit(id=number, request=request))
        assert isinstance(self.next_event(number), Accepted)
        command = self.commands.get(timeout=5)
        return sequences_of(command)

    def generate(self, number: int, text: str, last: bool = False) -> None:
        """Deliver the tokens of `text`; with `last`, the final one ends the sequence."""
        ids = self.tokenizer.encode(text)
        for i, token in enumerate(ids):
            is_end = last and i == len(ids) - 1
            self.requests.deliver([Sampled(number, token, "length" if is_end else None)])

    def next_event(self, number: int) -> Any:
        """The next event or failure of this request."""
        step = self.frames.get(timeout=5)
        assert isinstance(step, Step)
        (happened,) = [item for item in step.happened if item.id == number][:1]
        return happened.what or happened.failure
