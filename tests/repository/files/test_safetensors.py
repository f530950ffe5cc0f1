import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.repository.files.safetensors import BrokenWeights, read_tensors
from tests.tiny import make_tiny_model

GOOD = {"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}


def write(folder: Path, header: Any, data: bytes = b"\0" * 24, name: str = "model.safetensors") -> Path:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(len(raw).to_bytes(8, "little") + raw + data)
    return folder


def entry(**changes: Any) -> dict[str, Any]:
    return {"a": GOOD["a"] | changes}


def test_it_reads_names_types_shapes_and_sizes(tmp_path: Path) -> None:
    (tensor,) = read_tensors(write(tmp_path, GOOD | {"__metadata__": {"format": "mlx"}}))
    assert (tensor.name, tensor.dtype, tensor.shape) == ("a", "F32", (2, 3))
    assert (tensor.bytes, tensor.items) == (24, 6)


def test_it_reads_a_real_model(tmp_path: Path) -> None:
    tensors = read_tensors(make_tiny_model(tmp_path))
    data = (tmp_path / "model.safetensors").stat().st_size
    assert len(tensors) == 20 and 0 < data - sum(t.bytes for t in tensors) < 4096


@pytest.mark.parametrize("kept", [0, 1, 7, 8, 9, 40, -25, -24, -1])
def test_it_refuses_a_truncated_file(tmp_path: Path, kept: int) -> None:
    write(tmp_path, GOOD)
    file = tmp_path / "model.safetensors"
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(BrokenWeights):
        read_tensors(tmp_path)


@pytest.mark.parametrize("length", [0, 2**31, 2**62, 2**63, 2**64 - 1])
def test_it_refuses_a_header_length_beyond_the_file_at_once(tmp_path: Path, length: int) -> None:
    (tmp_path / "model.safetensors").write_bytes(length.to_bytes(8, "little") + b"{}" * 20)
    started = time.perf_counter()
    with pytest.raises(BrokenWeights, match="cut off"):
        read_tensors(tmp_path)
    assert time.perf_counter() - started < 0.1


def test_it_does_not_read_a_huge_header_that_a_sparse_file_really_holds(tmp_path: Path) -> None:
    with (tmp_path / "model.safetensors").open("wb") as file:
        file.write((2**40).to_bytes(8, "little"))
        file.truncate(2**41)
    with pytest.raises(BrokenWeights):
        read_tensors(tmp_path)


@pytest.mark.parametrize(
    "header",
    [
        *(b"{", b"null", b"[]", b'"a"', b"1", b"\xff\xfe", b"\0" * 64, b'{"a": 1}', b'{"a": {}}', b"NaN"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"a":' * 100_000, id="deep objects"),
        pytest.param(b'{"a": {"data_offsets": [0, ' + b"9" * 5000 + b"]}}", id="long number"),
    ],
)
def test_it_refuses_a_header_that_is_no_description(tmp_path: Path, header: bytes) -> None:
    with pytest.raises(BrokenWeights, match="header of model.safetensors cannot be read"):
        read_tensors(write(tmp_path, header))


@pytest.mark.parametrize(
    "changes",
    [
        {"data_offsets": [0, 20]},
        {"data_offsets": [0, 28]},
        {"data_offsets": [4, 28]},
        {"data_offsets": [24, 0]},
        {"data_offsets": [-24, 0]},
        {"data_offsets": [0, 24, 24]},
        {"data_offsets": [2**62, 2**62 + 24]},
        {"data_offsets": ["0", "24"]},
        {"data_offsets": [False, 24]},
        {"data_offsets": {"0": 1, "24": 2}},
        {"shape": [2, 4]},
        {"shape": [2**62, 2**62]},
        {"shape": [-2, -3]},
        {"shape": [2.0, 3.0]},
        {"shape": [1] * 1000},
        {"shape": "23"},
        {"shape": None},
        {"dtype": "F16"},
        {"dtype": "F4_SURPRISE"},
        {"dtype": ["F32"]},
    ],
    ids=str,
)
def test_it_refuses_a_tensor_that_cannot_be(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(BrokenWeights):
        read_tensors(write(tmp_path, entry(**changes)))


def test_it_refuses_tensors_that_share_bytes(tmp_path: Path) -> None:
    with pytest.raises(BrokenWeights, match="has a wrong size"):
        read_tensors(write(tmp_path, GOOD | {"b": GOOD["a"]}))


def test_scalars_and_empty_tensors_are_fine(tmp_path: Path) -> None:
    header = {
        "empty": {"dtype": "F32", "shape": [0, 3], "data_offsets": [0, 0]},
        "scalar": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]},
    }
    assert sum(tensor.bytes for tensor in read_tensors(write(tmp_path, header, b"1234"))) == 4


def test_a_folder_without_weights_says_so(tmp_path: Path) -> None:
    write(tmp_path, GOOD, name="adapters.safetensors")
    with pytest.raises(BrokenWeights, match="no model"):
        read_tensors(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "model.safetensors")
    with pytest.raises(BrokenWeights, match="not a file"):
        read_tensors(tmp_path)


def sharded(folder: Path, index: Any) -> Path:
    write(folder, GOOD, name="model-00001-of-00002.safetensors")
    raw = index if isinstance(index, bytes) else json.dumps(index).encode()
    (folder / "model.safetensors.index.json").write_bytes(raw)
    return folder


def test_all_shards_count(tmp_path: Path) -> None:
    sharded(tmp_path, {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-2.safetensors"}})
    write(tmp_path, {"b": GOOD["a"]}, name="model-2.safetensors")
    assert [tensor.name for tensor in read_tensors(tmp_path)] == ["a", "b"]


@pytest.mark.parametrize("missing", ["model-00002-of-00002.safetensors", "../../etc/passwd", 7, None])
def test_a_missing_shard_is_named(tmp_path: Path, missing: Any) -> None:
    with pytest.raises(BrokenWeights, match=f"1 of its weight files are missing, such as {missing}"):
        read_tensors(
            sharded(tmp_path, {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": missing}})
        )


@pytest.mark.parametrize(
    "index",
    [
        *(b"", b"{", b"[]", b"{}", b"\xff", b'{"weight_map": []}', b'{"weight_map": {"a": []}}'),
        pytest.param(b"[" * 100_000, id="deep"),
    ],
)
def test_a_garbled_index_is_refused(tmp_path: Path, index: bytes) -> None:
    with pytest.raises(BrokenWeights, match="index.json cannot be read"):
        read_tensors(sharded(tmp_path, index))


def test_a_huge_index_is_not_read(tmp_path: Path) -> None:
    sharded(tmp_path, {})
    os.truncate(tmp_path / "model.safetensors.index.json", 2**40)
    with pytest.raises(BrokenWeights, match="too large"):
        read_tensors(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=200), wraps=st.booleans())
def test_any_bytes_are_read_or_refused(tmp_path: Path, raw: bytes, wraps: bool) -> None:
    (tmp_path / "model.safetensors").write_bytes((len(raw).to_bytes(8, "little") if wraps else b"") + raw)
    try:
        assert read_tensors(tmp_path) == []
    except BrokenWeights:
        return


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from(["dtype", "shape", "data_offsets"]), value=json_values)
def test_any_values_are_read_or_refused(tmp_path: Path, key: str, value: Any) -> None:
    try:
        tensors = read_tensors(write(tmp_path, entry(**{key: value})))
    except BrokenWeights:
        return
    assert sum(tensor.bytes for tensor in tensors) <= 24


def described(count: int, name: str = "model.layers.0.mlp.experts.%d.gate_proj.weight") -> bytes:
    """A header of so many tensors of a byte each."""
    entries = (
        b'"%b":{"dtype":"U8","shape":[1],"data_offsets":[%d,%d]}' % (name.encode() % n, n, n + 1)
        for n in range(count)
    )
    return b"{" + b",".join(entries) + b"}"


def test_it_reads_as_many_tensors_as_the_largest_models_have_in_a_file(tmp_path: Path) -> None:
    assert len(read_tensors(write(tmp_path, described(20_000), b"\0" * 20_000))) == 20_000


@pytest.mark.parametrize(
    ("make", "why"),
    [
        pytest.param(lambda: b"{" + b" " * 27_000_000 + b"}", "has 27 MB", id="spaces"),
        pytest.param(lambda: described(300_000), "has 33 MB", id="tensors"),
        pytest.param(lambda: described(90_000), "more tensors", id="many"),
        pytest.param(lambda: b"{" + b'"":0,' * 2_000_000 + b'"":0}', "more tensors", id="one name"),
        pytest.param(
            lambda: b'{"a":{"shape":[' + b"1," * 7_000_000 + b"1]}}", "cannot be read", id="dimensions"
        ),
        pytest.param(lambda: b'{"a":' + b"[" * 7_000_000, "cannot be read", id="depth"),
    ],
)
def test_a_header_that_would_take_long_to_parse_is_refused(
    tmp_path: Path, make: Callable[[], bytes], why: str
) -> None:
    header = make()
    with pytest.raises(BrokenWeights, match=why):
        read_tensors(write(tmp_path, header, b""))


def test_many_files_may_not_describe_more_than_one_may(tmp_path: Path) -> None:
    for number in range(5):
        write(tmp_path, b"{" + b" " * (15 * 2**20) + b"}", b"", name=f"model-{number}.safetensors")
    with pytest.raises(BrokenWeights, match="more tensors than any model has"):
        read_tensors(tmp_path)


def test_metadata_beside_the_tensors_may_be_long(tmp_path: Path) -> None:
    metadata = {"__metadata__": {"recipe": json.dumps({str(n): n for n in range(20_000)})}}
    assert len(read_tensors(write(tmp_path, GOOD | metadata))) == 1


def test_an_index_with_more_tensors_than_any_model_is_refused(tmp_path: Path) -> None:
    names = b",".join(b'"%d":""' % number for number in range(700_000))
    with pytest.raises(BrokenWeights, match="names more tensors"):
        read_tensors(sharded(tmp_path, b'{"weight_map":{' + names + b"}}"))
