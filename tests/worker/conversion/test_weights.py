"""The file that is written, read by the safetensors library and by our own check."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from inference.core import disk_space
from inference.repository.files.gguf import StoredTensor
from inference.repository.files.safetensors import read_tensors
from inference.worker.conversion import weights
from inference.worker.conversion.weights import TensorMove, quantisation, write_weights
from tests.gguf_files import random_blocks

F32, F16, BF16, Q4_K, Q8_0 = 0, 1, 30, 12, 8


def written(folder: Path, *moves: TensorMove, source: bytes) -> dict[str, np.ndarray]:
    (folder / "source").write_bytes(source)
    write_weights(folder / "source", folder / "model.safetensors", moves)
    assert {tensor.name for tensor in read_tensors(folder)} == {a.name for move in moves for a in move.arrays}
    found: dict[str, np.ndarray] = load_file(folder / "model.safetensors")
    return found


def stored(kind: int, *shape: int, begin: int = 0) -> StoredTensor:
    return StoredTensor("x.weight", kind, shape, begin)


def test_plain_numbers_are_kept_and_types_may_mix(tmp_path: Path) -> None:
    half, whole = np.arange(3, dtype="<f2"), np.arange(4, dtype="<f4").reshape(2, 2)
    moves = (
        TensorMove(stored=stored(F16, 3), name="a", floats="F16"),
        TensorMove(stored=stored(F32, 2, 2, begin=6), name="b", floats="F32"),
    )
    found = written(tmp_path, *moves, source=half.tobytes() + whole.tobytes())
    assert found["a"].tolist() == half.tolist() and found["b"].tolist() == whole.tolist()


def test_rows_are_put_into_their_order(tmp_path: Path) -> None:
    whole = np.arange(6, dtype="<f4").reshape(3, 2)
    move = TensorMove(stored=stored(F32, 3, 2), name="a", floats="F32", order=np.array([2, 0, 1]))
    assert written(tmp_path, move, source=whole.tobytes())["a"].tolist() == [[4, 5], [0, 1], [2, 3]]


@pytest.mark.parametrize("kind", [F32, F16, BF16])
def test_what_mlx_adds_is_taken_away(tmp_path: Path, kind: int) -> None:
    content = {
        F32: np.array([1.5, -1], "<f4"),
        F16: np.array([1.5, -1], "<f2"),
        BF16: np.array([0x3FC0, 0xBF80], "<u2"),
    }
    move = TensorMove(stored=stored(kind, 2), name="a", floats="F32", offset=1.0)
    assert written(tmp_path, move, source=content[kind].tobytes())["a"].tolist() == [0.5, -2]


def test_numbers_are_rounded_to_the_nearest_bfloat16(tmp_path: Path) -> None:
    numbers = np.array([1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-9, -3.0], "<f4")
    (tmp_path / "source").write_bytes(numbers.tobytes())
    move = TensorMove(stored=stored(F32, 4), name="a", floats="BF16")
    (rows,) = next(move.slabs(tmp_path / "source"))
    assert rows.ravel().tolist() == [0x3F80, 0x3F82, 0x3F80, 0xC040]


def test_slabs_make_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = random_blocks("Q4_K", rows=7, columns=256)
    move = TensorMove(stored=stored(Q4_K, 7, 256), name="a.weight", floats="F16", order=np.arange(7)[::-1])
    whole = written(tmp_path, move, source=rows.tobytes())
    monkeypatch.setattr(weights, "_SLAB_WEIGHTS", 512)
    pieces = written(tmp_path, move, source=rows.tobytes())
    assert set(whole) == {"a.weight", "a.scales", "a.biases"}
    assert all(np.array_equal(whole[name], pieces[name]) for name in whole)


def test_what_does_not_fit_on_the_disk_is_refused_before_the_first_byte(tmp_path: Path) -> None:
    move = TensorMove(stored=stored(F32, 10**9, 10**6), name="a", floats="F32")
    with pytest.raises(ValueError, match=r"it needs 4000000\.0 GB and the disk has \d+\.\d GB free"):
        write_weights(tmp_path / "source", tmp_path / "model.safetensors", [move])
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_others_fill_meanwhile_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "source").write_bytes(bytes(8))

    class Filling(TensorMove):
        def slabs(self, source: Path) -> Iterator[tuple[np.ndarray, ...]]:
            monkeypatch.setattr(disk_space, "SPARE_BYTES", 10**18)
            return super().slabs(source)

    moves = [Filling(stored=stored(F32, 1, begin=4 * i), name=f"a{i}", floats="F32") for i in range(2)]
    with pytest.raises(ValueError, match="the disk has become full"):
        write_weights(tmp_path / "source", tmp_path / "model.safetensors", moves)


def test_a_tensor_is_never_in_memory_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_SLAB_WEIGHTS", 2**16)
    rows = random_blocks("Q8_0", rows=4096, columns=2048).tobytes()
    (tmp_path / "source").write_bytes(rows)
    move = TensorMove(stored=stored(Q8_0, 4096, 2048), name="a.weight", floats="F16")
    tracemalloc.start()
    write_weights(tmp_path / "source", tmp_path / "model.safetensors", [move])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < len(rows) / 4


def test_the_usual_width_is_written_once() -> None:
    moves = [TensorMove(stored=stored(Q4_K, 2, 256), name=f"{i}.weight", floats="F16") for i in range(2)]
    moves.append(TensorMove(stored=stored(Q8_0, 2, 256), name="b.weight", floats="F16"))
    assert quantisation(moves) == {
        "quantization": {"group_size": 32, "bits": 4, "b": {"group_size": 32, "bits": 8}},
    }
    assert quantisation([TensorMove(stored=stored(F16, 2, 256), name="a", floats="F16")]) == {}


def test_packed_numbers_that_are_no_matrix_are_refused() -> None:
    with pytest.raises(ValueError, match=r"its x.weight is stored as Q8_0"):
        _ = TensorMove(stored=stored(Q8_0, 64), name="a", floats="F16").arrays
