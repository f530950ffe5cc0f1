"""MLX's errors for a lack of memory, and its other errors."""

import errno

import numpy as np
import pytest

from inference.worker.model.load_failure import RefusedModel, failure_kind, failure_reason
from inference.worker.model.out_of_memory import is_out_of_memory
from tests.each import each

pytestmark = pytest.mark.mlx
# As reported in mlx#63, mlx#479, mlx-lm#444 and #1644, exo#2300 and mlx-vlm#167, and as in MLX's sources.
MEMORY = [
    "[metal::malloc] Attempting to allocate 48736917632 bytes which is greater than the maximum allowed "
    "buffer size of 30150672384 bytes.",
    "Attempting to allocate 137438953472 bytes which is greater than the maximum allowed buffer size of "
    "77309411328 bytes.",
    "[metal::malloc] Resource limit (499000) exceeded.",
    "[malloc] Unable to allocate 9663676416 bytes.",
    "[malloc_or_wait] Unable to allocate 134217728 bytes.",
    "[METAL] Command buffer execution failed: Insufficient Memory "
    "(00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory).",
    "[METAL] Command buffer execution failed: Insufficient Memory "
    "(00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)",
    "cudaMallocAsync(&data, size, stream) failed: out of memory",
    "cudaMallocManaged failed: out of memory.",
    "cudaMallocAsync failed: out of memory.",
    "cudaGraphInstantiate(&graph_exec_, graph, nullptr, nullptr, 0) failed: out of memory",
    "cuLaunchKernel(kernel) failed: out of memory",
    "CUDA error: CUDA_ERROR_OUT_OF_MEMORY: out of memory",
    "cublasLtCreate(&handle) failed: CUBLAS_STATUS_ALLOC_FAILED",
    "std::bad_alloc",
]
OTHER = [
    "[METAL] Command buffer execution failed: Impacting Interactivity "
    "(0000000e:kIOGPUCommandBufferCallbackErrorImpactingInteractivity)",
    "[METAL] Command buffer execution failed: Caused GPU Timeout Error (00000002:kIOGPU)",
    "[metal::load_device] No Metal device available.",
    "[metal::Device] Unable to load kernel steel_gemm",
    "[load_safetensors] Failed to open file /models/out of memory/model.safetensors",
    "[load] Failed to open file /models/[malloc] Unable to allocate 5 bytes./model.safetensors",
    "[load_safetensors] Invalid json header length /models/std::bad_alloc",
    "cudaMallocManaged failed: an illegal memory access was encountered.",
    "[matmul] Last dimension of first input must match",
    "There is no Stream(cpu, 0) in current thread.",
    "",
]


@each("text", MEMORY)
def test_what_mlx_says_when_memory_runs_out_is_known(text: str) -> None:
    error = RuntimeError(text)
    assert is_out_of_memory(error) and failure_kind(error) == "out_of_memory"
    assert "memory" in failure_reason(error)


@each("text", OTHER)
def test_what_it_says_of_other_things_is_not_mistaken(text: str) -> None:
    error = RuntimeError(text)
    assert not is_out_of_memory(error) and failure_kind(error) == "files"
    assert "memory" not in failure_reason(error)


def test_an_allocation_that_python_refused_is_one() -> None:
    with pytest.raises(MemoryError) as caught:
        np.empty((2**25, 2**25))
    assert is_out_of_memory(caught.value)


def test_the_systems_own_refusal_is_one() -> None:
    assert is_out_of_memory(OSError(errno.ENOMEM, "Cannot allocate memory"))
    assert not is_out_of_memory(OSError(errno.ENOENT, "out of memory"))


def test_so_is_an_error_that_was_caused_by_one() -> None:
    try:
        try:
            raise RuntimeError(MEMORY[0])
        except RuntimeError as error:
            raise ValueError("the weights cannot be made") from error
    except ValueError as error:
        assert is_out_of_memory(error)


@pytest.mark.parametrize("kind", [ValueError, KeyError, RefusedModel])
def test_the_message_counts_for_mlxs_own_class_only(kind: type[Exception]) -> None:
    assert not is_out_of_memory(kind(MEMORY[0]))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RefusedModel("its chat template does not terminate"), "refused"),
        (FileNotFoundError("model.safetensors"), "files"),
        (ValueError("Model type x not supported."), "files"),
        (MemoryError(), "out_of_memory"),
    ],
)
def test_each_failure_has_its_kind(error: Exception, kind: str) -> None:
    assert failure_kind(error) == kind
