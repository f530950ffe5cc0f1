"""One run: its options, its models, and the servers that its rows share."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

from inference.core.blas import Blas
from inference.management.bench import prompts
from inference.management.bench.address import ServerAddress
from inference.management.bench.figures import Figure
from inference.management.bench.models import Models
from inference.management.bench.peers import RunningPeer, StartedPeer, is_address, peer_command
from inference.management.bench.raw import Raw
from inference.management.bench.servers import Ours, Server, ServerEnded

_S = TypeVar("_S", bound=Server)


class Bench:
    """What a row needs. A server is started when a row first uses it, and ended by `close`."""

    def __init__(
        self,
        *,
        scratch: Path,
        model: Path,
        second: Path | None = None,
        quantised: Path | None = None,
        against: str = "",
        against_model: str = "",
        against_key: str = "",
        repeat: int = 3,
        is_quick: bool = False,
        blas: Blas,
    ) -> None:
        self.scratch = scratch
        self.against = against
        self._against_model, self._against_key = against_model, against_key
        self.repeat = repeat
        self.is_quick = is_quick
        self.blas = blas
        self.models = Models(scratch, model, second, quantised, blas)
        self._open = ExitStack()

    def close(self) -> None:
        """End every server; the next use starts a new one."""
        for name in ("ours", "theirs", "raw"):
            self.__dict__.pop(name, None)
        self._open.close()

    @cached_property
    def ours(self) -> Ours:
        """This server, warm: the model is loaded and has generated once."""
        _ = self.models.first, self.models.second  # the site lists them when it starts
        return self._warm(self._open.enter_context(Ours(self.models.folder, self.scratch)))

    @cached_property
    def theirs(self) -> Server | None:
        """The server to compare with, warm; None unless there is one. Raises ServerEnded."""
        if not self.against:
            return None
        peer: Server
        if is_address(self.against):
            peer = RunningPeer(ServerAddress.parse(self.against, self._against_key), self._against_model)
        else:
            command = peer_command(self.against)
            given = self._against_model or (str(self.models.first) if command.takes_folder else "")
            peer = StartedPeer(command, given, self.scratch, self.blas)
        # Only our server has a tokenizer that can be asked.
        peer.count_tokens = lambda text: self.ours.tokens_of(self.models.first, text)
        return self._warm(self._open.enter_context(peer))

    @cached_property
    def raw(self) -> Raw:
        """mlx-lm's BatchGenerator without any server around it."""
        return self._open.enter_context(Raw(self.models.first, self.blas))

    @property
    def servers(self) -> list[Server]:
        """Ours, and theirs if the run compares with it, in the order they are measured in."""
        return [self.ours, *([self.theirs] if self.theirs else [])]

    def repetitions(self, title: str) -> Iterator[int]:
        """The numbers of the repetitions; each is reported on stderr as it starts."""
        for number in range(self.repeat):
            report_progress(f"{title}: {number + 1} of {self.repeat}")
            yield number

    def alternate(
        self, title: str, requests: Callable[[], Sequence[Mapping[str, Any]]], *, with_raw: bool = False
    ) -> dict[str, list[Any]]:
        """Send new requests of one kind to every server in turn, once per repetition; rounds by server."""
        asks: dict[str, Callable[..., Any]] = {
            server.name: partial(server.ask, self.models.first) for server in self.servers
        }
        if with_raw:
            asks[Raw.name] = self.raw.ask
        rounds: dict[str, list[Any]] = {name: [] for name in asks}
        for _ in self.repetitions(title):
            for name, ask in asks.items():
                rounds[name].append(ask(requests()))
        return rounds

    def _warm(self, server: _S) -> _S:
        answered = server.ask(self.models.first, [prompts.short(4)])
        if not answered.answers:
            raise ServerEnded(f"{server.name} does not answer: {', '.join(answered.failures)}")
        return server


Row = Callable[[Bench], Iterable[Figure]]


def report_progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
