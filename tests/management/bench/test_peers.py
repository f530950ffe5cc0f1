"""Servers to compare with: those that run already, and those that are started."""

import asyncio
import shutil
import sys
from pathlib import Path

import pytest

from inference.core.blas import Blas
from inference.management.bench import peers, prompts
from inference.management.bench.address import ServerAddress, UnknownAddress
from inference.management.bench.peers import COMMANDS, MLX_LM, RunningPeer, StartedPeer, UnknownPeer
from inference.management.bench.servers import ServerEnded
from tests.each import each
from tests.management.bench.dialect import KEY, MODEL, speaking
from tests.management.bench.wire import answering

NOWHERE = Path("model")


def test_a_server_of_another_dialect_is_asked_and_its_tokens_are_counted_by_us() -> None:
    with speaking() as (url, dialect):
        peer = RunningPeer(ServerAddress.parse(url, KEY), "")
        peer.count_tokens = len
        with peer:
            answered = peer.ask(NOWHERE, [prompts.short(8)] * 2)
    assert [answer.text for answer in answered.answers] == ["Once upon a"] * 2
    assert [answer.tokens for answer in answered.answers] == [11, 11]
    assert answered.notes("it") == ["it: it reports no usage, tokens are counted with our tokenizer"]
    assert {body["model"] for body in dialect.bodies} == {MODEL}


def test_without_a_tokenizer_the_pieces_of_text_are_counted() -> None:
    with speaking() as (url, _), RunningPeer(ServerAddress.parse(url, KEY), "given") as peer:
        answered = peer.ask(NOWHERE, [prompts.short(8)])
    assert answered.tokens == 3
    assert answered.notes("it") == ["it: it reports no usage, tokens are counted as pieces of text"]


def test_a_wrong_key_is_a_failure_that_is_named() -> None:
    with speaking() as (url, _):
        with pytest.raises(ServerEnded, match=r"status 401.*--against-model"):
            RunningPeer(ServerAddress.parse(url, "wrong"), "").start()
        with RunningPeer(ServerAddress.parse(url, "wrong"), "given") as peer:
            assert peer.ask(NOWHERE, [prompts.short(8)]).failures == ("status 401",)


async def test_an_address_that_refuses_is_named() -> None:
    async with answering() as port:
        pass
    peer = RunningPeer(ServerAddress(port), "given")
    answered = await asyncio.to_thread(peer.ask, NOWHERE, [prompts.short(8)])
    assert answered.failures == ("ConnectionRefusedError",)
    with pytest.raises(ServerEnded, match="lists no models"):
        await asyncio.to_thread(RunningPeer(ServerAddress(port), "").start)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_server_listens_on_the_port_that_is_asked_of_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "free_port", lambda: 54321)
    peer = StartedPeer(COMMANDS[name], "some-model", tmp_path, None)
    line = " ".join(peer._command)
    assert "54321" in line or peer._env["OLLAMA_HOST"] == "127.0.0.1:54321"
    assert "some-model" in line or name == "ollama"


def test_a_server_that_is_not_installed_is_refused_with_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shutil, "which", lambda program: None)
    with pytest.raises(UnknownPeer, match=r"llama-server is not installed.*brew install llama.cpp"):
        peers.check("llama-server", "model.gguf")
    monkeypatch.setattr(shutil, "which", lambda program: "/usr/bin/it")
    with pytest.raises(UnknownPeer, match="needs --against-model: a GGUF file"):
        peers.check("llama-server", "")
    peers.check("llama-server", "model.gguf")


@each("against", ["", MLX_LM, "http://127.0.0.1:1/v1"])
def test_what_can_be_compared_with_is_accepted(against: str) -> None:
    peers.check(against, "")


def test_unknown_names_and_addresses_are_refused() -> None:
    with pytest.raises(UnknownPeer, match=r"no server 'lama'.*mlx_lm.server, "):
        peers.check("lama", "")
    with pytest.raises(UnknownAddress):
        peers.check("ftp://it", "")


def test_unequal_conditions_are_named() -> None:
    blas = Blas("OpenBLAS", "/some/libopenblas.so")
    assert peers.conditions("", "", blas) == ()
    assert "same weights" in peers.conditions(MLX_LM, "", blas)[0]
    assert "the BLAS OpenBLAS" in peers.conditions(MLX_LM, "", blas)[0]
    assert "its own libraries" in peers.conditions("vllm", "", blas)[0]
    assert peers.conditions("ollama", "qwen3:8b", blas)[0].endswith("other weights than ours: qwen3:8b.")
    assert "its own" in peers.conditions("http://h/v1", "", blas)[0]


def test_only_mlx_lm_gets_our_blas(tmp_path: Path) -> None:
    blas = Blas("OpenBLAS", sys.executable)
    assert sys.executable in StartedPeer(COMMANDS[MLX_LM], "m", tmp_path, blas)._command[1:]
    assert sys.executable not in StartedPeer(COMMANDS["vllm"], "m", tmp_path, blas)._command
    assert sys.executable not in StartedPeer(COMMANDS[MLX_LM], "m", tmp_path, None)._command[1:]
