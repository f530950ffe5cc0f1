import os
import struct
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.repository.files.gguf import ImportRefused, read_header
from tests.gguf_files import tiny_weights, write_gguf

TEXT = 8


def text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(raw)) + raw


def entry(name: str, kind: int, value: bytes) -> bytes:
    return text(name) + struct.pack("<I", kind) + value


LLAMA = entry("general.architecture", TEXT, text("llama"))


def tensor(name: str = "a", shape: tuple[int, ...] = (4,), kind: int = 0, offset: int = 0) -> bytes:
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


def gguf(
    entries: list[bytes] | None = None,
    tensors: list[bytes] | None = None,
    *,
    data: int = 64,
    counts: tuple[int, int] | None = None,
    magic: bytes = b"GGUF",
    version: int = 3,
) -> bytes:
    entries = [LLAMA] if entries is None else entries
    tensors = [tensor()] if tensors is None else tensors
    head = magic + struct.pack("<IQQ", version, *(counts or (len(tensors), len(entries))))
    head += b"".join(entries) + b"".join(tensors)
    return head + b"\0" * (-len(head) % 32) + b"\0" * data


@pytest.fixture
def refusal(tmp_path: Path) -> Callable[[bytes], str]:
    """Why a file of these bytes is refused; empty when it is not."""

    def refusal(content: bytes) -> str:
        path = tmp_path / "file.gguf"
        path.write_bytes(content)
        try:
            read_header(path)
        except ImportRefused as error:
            return str(error)
        return ""

    return refusal


Refusal = Callable[[bytes], str]


def test_a_sound_header_passes(refusal: Refusal) -> None:
    assert refusal(gguf()) == ""
    assert refusal(gguf(version=2)) == ""


def split(count: int) -> list[bytes]:
    return [entry("split.no", 2, struct.pack("<H", 0)), entry("split.count", 2, struct.pack("<H", count))]


@pytest.mark.parametrize(
    "content",
    [
        gguf([LLAMA, *split(2)]),
        gguf([LLAMA, *split(2)], []),  # the first of llama-gguf-split --no-tensor-first-split
        gguf(split(2)),  # the others have no more than this
    ],
)
def test_a_part_of_a_split_file_has_its_own_refusal(refusal: Refusal, content: bytes) -> None:
    assert refusal(content).startswith(
        "This is a part of a split file; join them with `llama-gguf-split --merge`"
    )


def test_a_split_into_one_is_whole(refusal: Refusal) -> None:
    assert refusal(gguf([LLAMA, *split(1)])) == ""


@pytest.mark.parametrize("kind", ["F32", "F16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"])
def test_files_of_the_usual_writer_pass(tmp_path: Path, kind: str) -> None:
    path = write_gguf(tmp_path / "x.gguf", tiny_weights(tmp_path / "t"), kind=kind)
    header = read_header(path)
    assert (header.architecture, len(header.tensors)) == ("llama", 20)
    assert {tensor.block.name for tensor in header.tensors} == {"F32", kind}


@pytest.mark.parametrize(("kind", "size"), [(10, 84), (11, 110), (12, 144), (13, 176), (14, 210)])
def test_k_quants_take_their_bytes(refusal: Refusal, kind: int, size: int) -> None:
    tensors = [tensor("blk.0.attn_q.weight", (512, 3), kind)]
    assert refusal(gguf(tensors=tensors, data=6 * size)) == ""
    assert "cut off" in refusal(gguf(tensors=tensors, data=6 * size - 1))
    assert "does not fit" in refusal(gguf(tensors=[tensor("a", (128, 4), kind)], data=6 * size))


@pytest.mark.parametrize("kind", ["Q8_K", "IQ2_XXS", "IQ4_NL", "IQ4_XS", "TQ1_0", "MXFP4"])
def test_other_types_are_refused_by_name(refusal: Refusal, kind: str) -> None:
    number = {"Q8_K": 15, "IQ2_XXS": 16, "IQ4_NL": 20, "IQ4_XS": 23, "TQ1_0": 34, "MXFP4": 39}[kind]
    message = refusal(gguf(tensors=[tensor("blk.0.attn_q.weight", (256,), number)], data=4096))
    assert message.startswith(f"blk.0.attn_q.weight is stored as {kind}; F32,")


def test_metadata_is_kept_when_asked_for(tmp_path: Path) -> None:
    array = entry("list", 9, struct.pack("<IQ3i", 5, 3, 1, -2, 3))
    texts = entry("texts", 9, struct.pack("<IQ", TEXT, 2) + text("a") + text("é"))
    (tmp_path / "x.gguf").write_bytes(gguf([LLAMA, array, texts, entry("one", 6, struct.pack("<f", 0.5))]))
    assert read_header(tmp_path / "x.gguf").metadata == {}
    kept = read_header(tmp_path / "x.gguf", metadata=True).metadata
    assert (kept["one"], kept["texts"], list(kept["list"])) == (0.5, ["a", "é"], [1, -2, 3])


def test_a_tensor_has_its_rows_first_and_its_place_in_the_file(tmp_path: Path) -> None:
    content = gguf(tensors=[tensor("a", (4, 2)), tensor("b", (8,), offset=32)])
    (tmp_path / "x.gguf").write_bytes(content)
    first, second = read_header(tmp_path / "x.gguf").tensors
    assert (first.shape, first.begin, second.begin) == ((2, 4), len(content) - 64, len(content) - 32)


def test_an_unknown_type_is_refused_by_number(refusal: Refusal) -> None:
    assert "stored as type 4711;" in refusal(gguf(tensors=[tensor(kind=4711)]))


def test_no_architecture_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    for entries in ([], [entry("general.architecture", 4, struct.pack("<I", 5))]):
        path.write_bytes(gguf(entries))
        assert read_header(path).architecture == "unknown"


@pytest.mark.parametrize(
    "content", [b"", b"GGUF", b"GGML" + b"\0" * 100, b"PK\3\4" + b"\0" * 100, b"\0" * 24]
)
def test_other_files_are_refused(refusal: Refusal, content: bytes) -> None:
    assert refusal(content)


@pytest.mark.parametrize("version", [0, 1, 4, 0x03000000])
def test_other_versions_are_refused(refusal: Refusal, version: int) -> None:
    assert f"version {version};" in refusal(gguf(version=version))


def test_a_file_cut_off_anywhere_is_refused(refusal: Refusal) -> None:
    numbers = [entry(f"n{kind}", kind, b"\0" * 8) for kind in (10, 11, 12)]
    array = entry("list", 9, struct.pack("<IQ", 5, 3) + b"\0" * 12)
    texts = entry("texts", 9, struct.pack("<IQ", TEXT, 2) + text("a") + text("b"))
    whole = gguf([*numbers, array, texts, LLAMA], [tensor(), tensor("b", (8, 2), offset=32)], data=96)
    assert refusal(whole) == ""
    assert [cut for cut in range(len(whole)) if refusal(whole[:cut]) == ""] == []


@pytest.mark.parametrize("huge", [65_537, 2**31, 2**32, 2**62, 2**63, 2**64 - 1])
def test_huge_counts_are_answered_at_once_and_cost_no_memory(refusal: Refusal, huge: int) -> None:
    count = struct.pack("<Q", huge)
    files = [
        gguf(counts=(huge, 1)),
        gguf(counts=(1, huge)),
        gguf([count + b"name"]),
        gguf([entry("general.architecture", TEXT, count)]),
        gguf([LLAMA, entry("list", 9, struct.pack("<I", 4) + count)]),
        gguf([LLAMA, entry("list", 9, struct.pack("<I", TEXT) + count)]),
        gguf(tensors=[count + b"name"]),
        gguf(tensors=[tensor(shape=(huge,))]),
        gguf(tensors=[tensor(offset=huge * 32 % 2**64 or 2**63)]),
    ]
    tracemalloc.start()
    started = time.perf_counter()
    message = [refusal(file) for file in files]
    took, (_, peak) = time.perf_counter() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert all(message)
    assert took / len(files) < 0.1 and peak < 2**20


def test_a_huge_file_of_empty_texts_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "file.gguf"
    path.write_bytes(gguf([LLAMA, entry("0", 9, struct.pack("<IQ", TEXT, 4_000_001))]))
    os.truncate(path, 2**40)
    with pytest.raises(ImportRefused, match="counts more"):
        read_header(path)


@pytest.mark.parametrize("shape", [(), (0,), (4, 0), (2**63, 2**63, 0), (2**32, 2**32), (2**62, 4), (1,) * 5])
def test_shapes_that_cannot_be_are_refused(refusal: Refusal, shape: tuple[int, ...]) -> None:
    assert refusal(gguf(tensors=[tensor(shape=shape)]))


@pytest.mark.parametrize("kind", [2, 3, 8])
def test_rows_that_are_no_whole_blocks_are_refused(refusal: Refusal, kind: int) -> None:
    assert "does not fit" in refusal(gguf(tensors=[tensor(shape=(33, 32), kind=kind)], data=10_000))


@pytest.mark.parametrize("offset", [64, 2**40, 2**63, 2**64 - 32])
def test_a_tensor_beyond_the_file_is_refused(refusal: Refusal, offset: int) -> None:
    assert "cut off" in refusal(gguf(tensors=[tensor(offset=offset)]))


def test_a_crooked_offset_is_refused(refusal: Refusal) -> None:
    assert "place of a" in refusal(gguf(tensors=[tensor(offset=4)]))


@pytest.mark.parametrize("value", [0, 1, 7, 33, 48, 2**17, 2**32 - 1])
def test_an_alignment_that_makes_no_sense_is_refused(refusal: Refusal, value: int) -> None:
    assert "alignment" in refusal(gguf([LLAMA, entry("general.alignment", 4, struct.pack("<I", value))]))


def test_an_alignment_of_another_integer_type_is_refused(refusal: Refusal) -> None:
    assert "alignment" in refusal(gguf([LLAMA, entry("general.alignment", 10, struct.pack("<Q", 64))]))
    assert "alignment" in refusal(gguf([LLAMA, entry("general.alignment", 9, struct.pack("<IQ", 4, 0))]))
    assert refusal(gguf([LLAMA, entry("general.alignment", 4, struct.pack("<I", 32))])) == ""


def test_nested_arrays_are_refused(refusal: Refusal) -> None:
    nested = struct.pack("<IQ", 9, 1) * 50_000
    assert "nested" in refusal(gguf([LLAMA, entry("list", 9, nested)]))


@pytest.mark.parametrize("kind", [13, 255, 2**32 - 1])
def test_unknown_kinds_of_metadata_are_refused(refusal: Refusal, kind: int) -> None:
    assert "damaged" in refusal(gguf([LLAMA, entry("odd", kind, b"\0" * 8)]))
    assert refusal(gguf([LLAMA, entry("odd", 9, struct.pack("<IQ", kind, 1) + b"\0" * 8)]))


def test_repeated_names_are_refused(refusal: Refusal) -> None:
    assert "twice" in refusal(gguf([LLAMA, LLAMA]))
    assert "twice" in refusal(gguf(tensors=[tensor(), tensor()]))


def test_names_that_are_no_text_are_refused(refusal: Refusal) -> None:
    assert "damaged" in refusal(gguf([text(b"\xff\xfe") + struct.pack("<I", 7) + b"\0"]))


def test_a_file_without_tensors_is_refused(refusal: Refusal) -> None:
    assert refusal(gguf(tensors=[]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 200), byte=st.integers(0, 255))
def test_any_changed_byte_is_accepted_or_refused_never_a_crash(refusal: Refusal, at: int, byte: int) -> None:
    whole = bytearray(gguf([LLAMA, entry("general.alignment", 4, struct.pack("<I", 32))], [tensor()]))
    whole[at % len(whole)] = byte
    assert isinstance(refusal(bytes(whole)), str)
