import json

import pytest

from inference.repository.downloads.errors import HubUnavailable, NotAModel
from tests.repository.fetching import Fetch
from tests.repository.hub import FakeHub

WEIGHTS = "model.safetensors"


def test_weights_come_last(fetched: Fetch, hub: FakeHub) -> None:
    fetched()
    assert hub.asked[-1] == WEIGHTS and hub.asked[:-1] == sorted(hub.asked[:-1])


def test_only_files_that_cannot_run_are_asked_for(fetched: Fetch, hub: FakeHub) -> None:
    wanted = sorted(hub.files)
    unwanted = (
        "modeling.py",
        "pytorch_model.bin",
        "x.gguf",
        "README.md",
        "run.sh",
        "config.json.py",
        "x.pkl",
        *("consolidated.safetensors", "adapters.safetensors", "Model.safetensors.bak"),
    )
    below = (
        "original/tokenizer.model",
        "onnx/config.json",
        "a/model.safetensors",
        ".hidden.json",
        "a\n.json",
        *("1_Pooling/modeling.py", "1_Pooling/more.json", "1_Pooling/../config.json"),
        *("1_Pooling/config.json\n", "a/1_Pooling/config.json", "1_Dense/config.json"),
        *("11_Pooling/config.json", "x_Pooling/config.json"),
    )
    hub.files |= dict.fromkeys((*unwanted, *below), b"evil")
    fetched()
    assert sorted(hub.asked) == wanted == fetched.names


@pytest.mark.parametrize(
    ("name", "part"),
    [("config.json", "config.json"), (WEIGHTS, "safetensors weights"), ("tokenizer.json", "tokenizer")],
)
def test_a_repository_without_a_part_is_not_fetched(
    fetched: Fetch, hub: FakeHub, name: str, part: str
) -> None:
    del hub.files[name]
    hub.files["adapters.safetensors"] = b"no weights of a model"
    assert f"org/tiny has no {part}" in fetched.refusal(NotAModel)
    assert hub.asked == []


@pytest.mark.parametrize(
    "entry",
    [
        {"rfilename": "x.json", "size": -1, "blobId": "0" * 40},
        {"rfilename": "x.json", "size": "many", "blobId": "0" * 40},
        {"rfilename": "x.json", "size": 4},
        {"rfilename": "x.json", "size": 4, "blobId": "../../x"},
        {"rfilename": "x.json", "size": 4, "lfs": {"sha256": "short", "size": 4}},
        {"rfilename": "Config.json", "size": 4, "blobId": "0" * 40},
        {"rfilename": None},
        "config.json",
    ],
    ids=str,
)
def test_a_list_that_makes_no_sense_is_refused(fetched: Fetch, hub: FakeHub, entry: object) -> None:
    hub.extra.append(entry)  # type: ignore[arg-type]
    assert "is not valid" in fetched.refusal(HubUnavailable)
    assert hub.asked == []


def test_a_shard_that_the_hub_does_not_have_is_reported_before_the_others_come(
    fetched: Fetch, hub: FakeHub
) -> None:
    index = {"weight_map": {"a": WEIGHTS, "b": "model-00002-of-00002.safetensors"}}
    hub.files["model.safetensors.index.json"] = json.dumps(index).encode()
    assert "1 of its weight files do not exist on the hub" in fetched.refusal(NotAModel)
    assert WEIGHTS not in hub.asked


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"weight_map": {"a": []}}'])
def test_an_index_that_cannot_be_read_is_no_model(fetched: Fetch, hub: FakeHub, content: bytes) -> None:
    hub.files["model.safetensors.index.json"] = content
    assert "is not valid; choose another model" in fetched.refusal(NotAModel)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", {"model_type": "llama", "auto_map": {"AutoModel": "evil.Model"}}),
        ("config.json", {"model_file": "evil.py"}),
        ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": "evil.Tokenizer"}}),
    ],
)
def test_what_wants_code_of_its_own_is_reported_before_its_weights_come(
    fetched: Fetch, hub: FakeHub, name: str, content: dict[str, object]
) -> None:
    hub.files[name] = json.dumps(content).encode()
    assert f"its own code ({name} has" in fetched.refusal(NotAModel)
    assert WEIGHTS not in hub.asked


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "model.safetensors.index.json"])
def test_a_small_file_that_is_huge_is_refused_before_anything_comes(
    fetched: Fetch, hub: FakeHub, name: str
) -> None:
    hub.files.pop(name, None)
    hub.extra.append({"rfilename": name, "size": 33 * 2**20, "blobId": "0" * 40})
    assert f"The {name} of org/tiny has 35 MB" in fetched.refusal(NotAModel)
    assert hub.asked == []


def test_of_what_can_never_be_a_model_nothing_is_kept(fetched: Fetch, hub: FakeHub) -> None:
    hub.files["config.json"] = b"[]"
    fetched.refusal(NotAModel)
    assert list(fetched.models.iterdir()) == []
