"""The server to compare with: started by a known command, or one that runs already."""

import asyncio
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil

from inference.core.blas import Blas
from inference.management.bench import client
from inference.management.bench.address import ServerAddress
from inference.management.bench.models import running
from inference.management.bench.servers import Server, ServerEnded, free_port
from inference.management.bench.timed_answer import IncompleteAnswer

MLX_LM = "mlx_lm.server"
_LIST_S = 10.0


@dataclass(frozen=True)
class PeerCommand:
    """How a server is started: `arguments` of a model and a port, and what it needs."""

    name: str
    program: str  # on the path; empty for a module of this Python
    arguments: Callable[[str, int], list[str]]
    install: str
    module: str = ""
    health: str = "/v1/models"
    takes_folder: bool = True  # whether its model is the folder that ours serves
    wants: str = ""  # what --against-model has to be where it does not

    @property
    def is_installed(self) -> bool:
        return find_spec(self.module) is not None if self.module else shutil.which(self.program) is not None

    def line(self, model: str, port: int, blas: Blas | None = None) -> list[str]:
        start = running(self.module, blas) if self.module else [self.program]
        return [*start, *self.arguments(model, port)]


def _options(*before: str, model: str = "--model") -> Callable[[str, int], list[str]]:
    """`before MODEL --host 127.0.0.1 --port PORT`, the model as an option unless that is empty."""
    return lambda given, port: [
        *before,
        *([model] if model else []),
        given,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]


_COMMANDS = (
    PeerCommand(MLX_LM, "", _options("server"), "pip install mlx-lm", module="mlx_lm", health="/health"),
    PeerCommand("mlx_vlm.server", "", _options("server"), "pip install mlx-vlm", module="mlx_vlm"),
    PeerCommand("vllm", "vllm", _options("serve", model=""), "pip install vllm", health="/health"),
    PeerCommand("vllm-mlx", "vllm-mlx", _options("serve", model=""), "pip install vllm-mlx"),
    PeerCommand("rapid-mlx", "rapid-mlx", _options("serve", model=""), "pip install rapid-mlx"),
    PeerCommand(
        "llama-server",
        "llama-server",
        _options("--jinja"),
        "brew install llama.cpp",
        health="/health",
        takes_folder=False,
        wants="a GGUF file",
    ),
    PeerCommand(
        "ollama",
        "ollama",
        lambda model, port: ["serve"],
        "https://ollama.com/download",
        takes_folder=False,
        wants="a model that `ollama pull` has fetched",
    ),
)
COMMANDS = {command.name: command for command in _COMMANDS}


class UnknownPeer(ValueError):
    """There is no such server, or it cannot be started; the message says what to do."""


def is_address(against: str) -> bool:
    return "://" in against


def peer_command(name: str) -> PeerCommand:
    """The command of this name; raises UnknownPeer."""
    if name not in COMMANDS:
        raise UnknownPeer(
            f"There is no server {name!r}: give an address such as http://127.0.0.1:8080/v1, or one of "
            f"{', '.join(COMMANDS)}."
        )
    return COMMANDS[name]


def check(against: str, model: str) -> None:
    """Raise UnknownPeer or UnknownAddress for a server that cannot be compared with."""
    if not against:
        return
    if is_address(against):
        ServerAddress.parse(against)
        return
    command = peer_command(against)
    if not command.is_installed:
        raise UnknownPeer(f"{command.name} is not installed. Install it: {command.install}")
    if not (command.takes_folder or model):
        raise UnknownPeer(f"{command.name} needs --against-model: {command.wants}.")


def conditions(against: str, model: str, blas: Blas) -> tuple[str, ...]:
    """In what the two servers are not equal, or made equal."""
    if not against:
        return ()
    if is_address(against):
        return (
            "The other server ran already: its model, weights, settings and libraries are its own.",
            "Its memory cannot be measured.",
        )
    command = peer_command(against)
    if not command.takes_folder:
        return (f"{command.name} computes other weights than ours: {Path(model).name}.",)
    own = "its own libraries" if command.name != MLX_LM else f"the BLAS {blas.name}"
    return (f"{command.name} computes the same weights as ours, with {own}.",)


class StartedPeer(Server):
    """Another server, started for the run with the BLAS our workers use unless `blas` is None."""

    def __init__(self, command: PeerCommand, model: str, scratch: Path, blas: Blas | None) -> None:
        port = free_port()
        env = dict(os.environ) | {"HF_HUB_OFFLINE": "1", "OLLAMA_HOST": f"127.0.0.1:{port}"}
        self.name, self.health, self._command_of = command.name, command.health, command
        self._model = model
        self.serves_folders = command.name == MLX_LM
        line = command.line(model, port, blas if command.name == MLX_LM else None)
        super().__init__(line, env, scratch / "theirs.log", port)

    def model(self, folder: Path) -> str:
        return str(folder) if self._command_of.takes_folder else self._model

    @property
    def resident_bytes(self) -> int:
        """Memory of its processes."""
        process = psutil.Process(self.pid)
        return sum(one.memory_info().rss for one in (process, *process.children(recursive=True)))


class RunningPeer(Server):
    """A server at an address, which is neither started nor ended."""

    name = "other server"
    serves_folders = False

    def __init__(self, address: ServerAddress, model: str) -> None:
        super().__init__([], {}, Path(os.devnull), address.port)
        self.address = address
        self._model = model

    def start(self) -> float:
        """Find out its model, if none was given; raises ServerEnded."""
        if self._model:
            return 0.0
        try:
            found = asyncio.run(asyncio.wait_for(self._models(), _LIST_S))
        except (OSError, EOFError, TimeoutError, IncompleteAnswer, ValueError, KeyError, TypeError) as error:
            raise ServerEnded(f"{self.name} lists no models ({error}); name one: --against-model") from None
        if not found:
            raise ServerEnded(f"{self.name} lists no models; name one: --against-model")
        self._model = found[0]
        return 0.0

    async def _models(self) -> list[str]:
        listed = await client.fetch(self.address, "GET", f"{self.address.base}/models")
        return [str(one["id"]) for one in listed["data"]]

    def stop(self) -> None:
        """It stays."""

    def check_alive(self) -> None:
        """Its requests fail if it is not."""

    def model(self, folder: Path) -> str:
        return self._model
