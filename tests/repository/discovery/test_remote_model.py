"""The card of a model that is not downloaded: the same as after the download, or why there is none."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from inference.core.model_card import ModelCard
from inference.repository.card_reader import Machine, make_card
from inference.repository.discovery import remote_model
from inference.repository.discovery.remote_model import HubModelDetails
from inference.repository.downloads.errors import (
    FetchFailed,
    HubBusy,
    HubUnavailable,
    NotAModel,
    NotAnId,
    NotOnHub,
    NotPermitted,
)
from inference.repository.downloads.retry_policy import RetryPolicy
from tests.repository.hub import LISTING, REPO, FakeHub, Refusal

MACHINE = Machine(dequantises=True)
WEIGHTS = "model.safetensors"


def read(hub: FakeHub, repo: str = REPO) -> HubModelDetails:
    return remote_model.read(repo, MACHINE, endpoint=hub.endpoint)


def refusal(kind: type[FetchFailed], hub: FakeHub, repo: str = REPO) -> str:
    with pytest.raises(FetchFailed) as refused:
        read(hub, repo)
    assert refused.type is kind
    return str(refused.value)


def change(hub: FakeHub, name: str, **values: Any) -> None:
    hub.files[name] = json.dumps(json.loads(hub.files[name]) | values).encode()


def same(card: ModelCard) -> ModelCard:
    """The card without its place and time."""
    return msgspec.structs.replace(card, path="", source="hub", created=0)


def test_the_card_is_that_of_the_model_once_it_is_there(hub: FakeHub, tiny: Path) -> None:
    found = read(hub)
    assert same(found.card) == same(make_card(REPO, tiny, "hub", MACHINE))
    assert found.card.is_servable and found.card.resident_bytes > found.card.weight_bytes
    assert found.download_bytes == sum(len(content) for content in hub.files.values())
    assert "<|start_header_id|>" in found.chat_template
    assert not found.is_gated and not found.has_vision


def test_of_the_weights_only_the_header_is_read(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inference.repository.discovery.remote_weights._FIRST_BYTES", 100)
    read(hub)
    length = int.from_bytes(hub.files[WEIGHTS][:8], "little")
    assert hub.ranges(WEIGHTS) == ["bytes=0-99", f"bytes=100-{7 + length}"]
    assert "tokenizer.json" not in hub.asked


def test_a_hub_that_ignores_ranges_is_not_read_to_the_end(hub: FakeHub) -> None:
    hub.files[WEIGHTS] += bytes(2**22)
    hub.ignores_ranges, hub.holds_after = True, {WEIGHTS: 2**20}  # the rest never comes
    assert read(hub).card.is_servable


def shards(hub: FakeHub, count: int) -> None:
    """Its weights several times over, under the names of shards."""
    content = hub.files.pop(WEIGHTS)
    hub.files |= {f"model-{one:05}-of-{count:05}.safetensors": content for one in range(1, count + 1)}


def test_a_model_of_many_files_is_estimated_by_their_size(hub: FakeHub) -> None:
    shards(hub, 60)
    card = read(hub).card
    assert not [name for name in hub.asked if name.endswith(".safetensors")]
    weights = sum(len(content) for name, content in hub.files.items() if name.endswith(".safetensors"))
    assert weights - 2 <= card.weight_bytes <= weights and card.resident_bytes >= 2 * card.weight_bytes
    change(hub, "config.json", quantization={"bits": 4, "group_size": 64})
    assert read(hub).card.resident_bytes >= 8 * card.weight_bytes


def test_the_headers_of_several_files_are_added(hub: FakeHub) -> None:
    one = read(hub).card.weight_bytes
    shards(hub, 3)
    assert read(hub).card.weight_bytes == 3 * one


@pytest.mark.parametrize(
    ("missing", "part"),
    [
        (WEIGHTS, "has no safetensors weights"),
        ("config.json", "has no config.json"),
        ("tokenizer.json", "has no tokenizer"),
    ],
)
def test_a_repository_without_a_part_of_a_model_is_none(hub: FakeHub, missing: str, part: str) -> None:
    del hub.files[missing]
    assert part in refusal(NotAModel, hub)


def test_a_kind_that_mlx_lm_does_not_know_is_told_before_the_download(hub: FakeHub) -> None:
    change(hub, "config.json", model_type="llama_of_tomorrow")
    assert read(hub).card.problem == "mlx-lm does not support this kind of model (llama_of_tomorrow)"


def test_a_model_with_code_of_its_own_is_refused(hub: FakeHub) -> None:
    change(hub, "config.json", auto_map={"AutoModel": "x.py"})
    assert "its own code" in refusal(NotAModel, hub)


@pytest.mark.parametrize("config", [b"", b"[]", b"{", b"\xff", b'{"model_type": 3}'])
def test_an_odd_config_is_no_model(hub: FakeHub, config: bytes) -> None:
    hub.files["config.json"] = config
    try:
        assert read(hub).card.problem
    except NotAModel as error:
        assert "is not valid" in str(error)


@pytest.mark.parametrize("weights", [b"", b"\xff" * 7, b"\xff" * 100, b"\x10" + bytes(7) + b"[" * 16])
def test_weights_that_are_none_are_refused(hub: FakeHub, weights: bytes) -> None:
    hub.files[WEIGHTS] = weights
    assert "cannot be served" in refusal(NotAModel, hub)


def test_gated_models_say_how_to_get_them(hub: FakeHub) -> None:
    hub.facts["gated"] = "manual"
    assert read(hub).is_gated
    hub.refusals["config.json"] = [Refusal(401, {"X-Error-Code": "GatedRepo"})]
    assert f"Accept its licence at {hub.endpoint}/{REPO} in a browser" in refusal(NotPermitted, hub)


def test_a_very_large_file_is_left_out_and_not_taken_for_a_broken_one(hub: FakeHub) -> None:
    hub.files["tokenizer_config.json"] += b" " * 5 * 2**20
    found = read(hub)
    assert found.card.is_servable and "tokenizer_config.json" not in hub.asked


def test_a_picture_model_is_recognised(hub: FakeHub) -> None:
    change(hub, "config.json", vision_config={"hidden_size": 8})
    assert read(hub).has_vision


def test_what_is_not_on_the_hub_is_said(hub: FakeHub) -> None:
    assert "The hub has no model org/other" in refusal(NotOnHub, hub, "org/other")
    assert "exact id" in refusal(NotAnId, hub, "tiny")


@pytest.mark.parametrize(
    ("status", "kind", "text"),
    [
        (429, HubBusy, "is limiting the rate of requests"),
        (500, HubUnavailable, "internal problem"),
        (503, HubUnavailable, "internal problem"),
    ],
)
def test_a_hub_in_trouble_is_asked_once(
    hub: FakeHub, status: int, kind: type[FetchFailed], text: str
) -> None:
    hub.refusals[LISTING] = [Refusal(status)]
    assert text in refusal(kind, hub)
    assert len(hub.heard) == 1


@pytest.mark.parametrize("name", [LISTING, "config.json", WEIGHTS])
def test_a_hub_that_stalls_is_not_waited_for(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(remote_model, "POLICY", RetryPolicy(tries=1, stall_s=0.3))
    hub.holds_after[name] = 10
    assert "sent nothing for" in refusal(HubUnavailable, hub)


def test_a_hub_that_trickles_is_not_waited_for(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch, put: Callable[..., Path]
) -> None:
    monkeypatch.setattr(remote_model, "POLICY", RetryPolicy(tries=1, answer_s=0.0))
    hub.holds_after["config.json"] = 10
    assert "responds too slowly" in refusal(HubUnavailable, hub)
