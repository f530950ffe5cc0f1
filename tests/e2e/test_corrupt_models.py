"""Model folders with something wrong in them, on a real site: a clear reason, and nobody else notices."""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.api.openai.site import eventually
from tests.e2e.conversation import Canary, ask, chat_body
from tests.e2e.site import Site
from tests.nightly import nightly, of_each_kind
from tests.tiny import make_tiny_model

pytestmark = pytest.mark.mlx
SONG = {"max_tokens": 200, "messages": [{"role": "user", "content": "Sing"}]}
Damage = Callable[[Path], object]


def weights(content: bytes) -> Damage:
    return lambda folder: (folder / "model.safetensors").write_bytes(content)


def cut(folder: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])


def config(**fields: object) -> Damage:
    def change(folder: Path) -> None:
        file = folder / "config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | fields))

    return change


def text(name: str, content: str) -> Damage:
    return lambda folder: (folder / name).write_text(content)


def header(content: bytes) -> Damage:
    return weights(len(content).to_bytes(8, "little") + content)


ALL_DAMAGES: dict[str, Damage] = {
    "weights cut off": cut,
    "weights empty": weights(b""),
    "a header of 2^62 bytes": weights((2**62).to_bytes(8, "little") + b"{}"),
    "a header that is no JSON": header(b"{" + b"x" * 64),
    "a header that lies": header(b'{"a": {"dtype": "F32", "shape": [9], "data_offsets": [0, 999999]}}'),
    "a missing shard": text(
        "model.safetensors.index.json", '{"weight_map": {"a": "model-00002-of-00002.safetensors"}}'
    ),
    "wrong shapes": config(hidden_size=128),
    "wrong heads": config(num_attention_heads=7),
    "a vocabulary of nothing": config(vocab_size=0),
    "a config that is no JSON": text("config.json", "{not json"),
    "a config that is a list": text("config.json", "[]"),
    "a model_type that is a path": config(model_type="../../x"),
    "an unknown model_type": config(model_type="nonsense"),
    "its own code": config(model_file="evil.py"),
    "its own code by auto_map": config(auto_map={"AutoModel": "evil.Model"}),
    "its own code in the tokenizer": text(
        "tokenizer_config.json", '{"auto_map": {"AutoTokenizer": ["evil.T", null]}}'
    ),
    "a tokenizer that is none": text("tokenizer.json", "{}"),
}


IN_GATE = ("weights cut off", "wrong shapes", "a config that is no JSON", "its own code by auto_map")
DAMAGES = {damage: ALL_DAMAGES[damage] for damage in of_each_kind(ALL_DAMAGES, IN_GATE)}


def states(site: Site) -> dict[str, tuple[str, str]]:
    """The state and the reason of every model that the pool knows."""
    pool = httpx.get(f"{site.url}/api/pool").json()
    return {model["id"]: (model["state"], model["reason"]) for model in pool["models"]}


@pytest.fixture(scope="module")
def models(tiny_site: Site) -> Iterator[Path]:
    yield tiny_site.data_dir / "models"
    for name in ("repaired", "reshaped"):  # the site's own model is the one that other tests expect in memory
        httpx.post(f"{tiny_site.url}/api/models/unload", json={"model": name})


@pytest.fixture(scope="module")
def song(tiny_site: Site) -> str:
    with Canary(tiny_site.url, **SONG) as canary:
        return canary.song()


@pytest.fixture(scope="module")
def broken(tiny_site: Site, models: Path) -> Iterator[dict[str, str]]:
    """Every damaged model's id by its damage; the site has noticed them all."""
    names = {damage: f"broken-{number}" for number, damage in enumerate(DAMAGES)}
    for damage, name in names.items():
        draft = make_tiny_model(models / f".{name}")
        (draft / "evil.py").write_text("import pathlib; pathlib.Path(__file__).with_name('ran').touch()")
        DAMAGES[damage](draft)
        draft.rename(models / name)
    newest = chat_body(model=list(names.values())[-1])
    assert eventually(lambda: ask(tiny_site.url, newest).status != 404)
    yield names
    for name in names.values():
        shutil.rmtree(models / name)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_model_is_refused_with_its_reason(
    tiny_site: Site, models: Path, broken: dict[str, str], song: str, damage: str
) -> None:
    name = broken[damage]
    with Canary(tiny_site.url, **SONG) as canary:
        answer = ask(tiny_site.url, chat_body(model=name))
        assert canary.song() == song
    assert (answer.status, answer.error["code"]) == (503, "model_load_failed")
    _, _, reason = answer.error["message"].partition(": ")
    assert reason and states(tiny_site).get(name, ("failed", reason)) == ("failed", reason)
    assert not (models / name / "ran").exists()
    assert httpx.get(f"{tiny_site.url}/health").status_code == 200


def test_a_failed_load_is_a_state_with_its_reason(tiny_site: Site, broken: dict[str, str]) -> None:
    answer = ask(tiny_site.url, chat_body(model=broken["wrong shapes"]))
    state, reason = states(tiny_site)[broken["wrong shapes"]]
    assert state == "failed"
    assert reason and answer.error["message"].endswith(reason)


def test_a_model_that_is_repaired_is_served(tiny_site: Site, models: Path) -> None:
    folder = make_tiny_model(models / "repaired")
    whole = (folder / "model.safetensors").read_bytes()
    cut(folder)
    assert eventually(lambda: ask(tiny_site.url, chat_body(model="repaired")).status == 503)
    (folder / "model.safetensors").write_bytes(whole)
    os.utime(folder / "model.safetensors", (time.time() + 2, time.time() + 2))
    assert eventually(lambda: ask(tiny_site.url, chat_body(model="repaired")).status == 200, within_s=20)


@nightly
def test_a_model_whose_shapes_are_repaired_is_served(tiny_site: Site, models: Path) -> None:
    folder = make_tiny_model(models / "reshaped")
    right = (folder / "config.json").read_text()
    config(hidden_size=128)(folder)
    assert eventually(lambda: ask(tiny_site.url, chat_body(model="reshaped")).status == 503)
    (folder / "config.json").write_text(right)
    assert eventually(lambda: ask(tiny_site.url, chat_body(model="reshaped")).status == 200, within_s=20)
