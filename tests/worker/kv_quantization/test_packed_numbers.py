import mlx.core as mx
import numpy as np
import pytest

from inference.worker.kv_quantization.packed_numbers import PackedLayout, appended, group_size_for, padded

pytestmark = pytest.mark.mlx
LAYOUTS = [PackedLayout(bits, group) for bits in (8, 4) for group in (64, 32)]


def numbers(tokens: int, size: int = 128, seed: int = 0) -> mx.array:
    return mx.random.normal((2, 3, tokens, size), key=mx.random.key(seed))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [mx.float32, mx.float16, mx.bfloat16])
def test_numbers_are_unpacked_as_mlx_does_it(layout: PackedLayout, dtype: mx.Dtype) -> None:
    packed = layout.packed(numbers(5).astype(dtype))
    ours = layout.unpacked(packed)
    theirs = mx.dequantize(*packed, group_size=layout.group_size, bits=layout.bits)
    assert ours.dtype == dtype == theirs.dtype
    tolerance = 1e-6 if dtype == mx.float32 else 0.02
    assert mx.allclose(ours, theirs, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_number_is_off_by_half_a_step_of_its_group_at_most(layout: PackedLayout) -> None:
    whole = np.array(numbers(7)).reshape(2, 3, 7, -1, layout.group_size)
    unpacked = np.array(layout.unpacked(layout.packed(numbers(7)))).reshape(whole.shape)
    steps = np.ptp(whole, axis=-1, keepdims=True) / (2**layout.bits - 1)
    # MLX moves the scale so that the largest number is exact, which adds up to half a step elsewhere.
    assert (np.abs(unpacked - whole) <= 1.01 * steps).all()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_unpacking_a_slice_of_a_larger_array_is_unpacking_a_slice(layout: PackedLayout) -> None:
    packed = layout.packed(numbers(9))
    words, scales, biases = (array[..., 2:6, :] for array in packed)
    assert mx.array_equal(layout.unpacked((words, scales, biases)), layout.unpacked(packed)[..., 2:6, :])


@pytest.mark.parametrize(
    ("sizes", "group"),
    [((64, 64), 64), ((128, 64), 64), ((96, 96), 32), ((512, 32), 32), ((80, 80), 0), ((16, 64), 0)],
)
def test_the_largest_group_that_divides_keys_and_values_is_taken(sizes: tuple[int, ...], group: int) -> None:
    assert group_size_for(*sizes) == group


@pytest.mark.parametrize("lengths", [(1, 1, 1), (300, 1, 255), (256, 256), (255, 2, 600)])
def test_tokens_that_are_appended_stay_in_order(lengths: tuple[int, ...]) -> None:
    layout = LAYOUTS[0]
    chunks = [layout.packed(numbers(length, seed=length)) for length in lengths]
    kept, length = None, 0
    for chunk in chunks:
        kept = appended(kept, chunk, length)
        length += chunk[0].shape[2]
    assert kept is not None
    for array, parts in zip(kept, zip(*chunks, strict=True), strict=True):
        assert mx.array_equal(array[..., :length, :], mx.concatenate(list(parts), axis=2))


def test_padding_may_cut_tokens_off_at_the_end() -> None:
    packed = LAYOUTS[0].packed(numbers(5))
    longer, shorter = padded(packed, 2, 3), padded(packed, 1, -2)
    assert longer[0].shape[2] == 10 and shorter[0].shape[2] == 4
    assert mx.array_equal(longer[1][..., 2:7, :], packed[1])
    assert mx.array_equal(shorter[1][..., 1:, :], packed[1][..., :3, :])
    assert not longer[0][..., :2, :].any() and not longer[1][..., 7:, :].any()
