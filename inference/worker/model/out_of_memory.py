"""Recognises the exceptions that mean a lack of memory.

MLX has no exception class for that: its allocators and command buffers raise RuntimeErrors, which differ from
those about a damaged file in their text only. The texts are in MLX's sources
(https://github.com/ml-explore/mlx: mlx/backend/metal/allocator.cpp and device.cpp,
mlx/backend/cuda/allocator.cpp and utils.cpp) and in reports: mlx#63, mlx#479, mlx-lm#1644, exo#2300.
No other file reads them.
"""

import errno
import re

# The whole text must match: other errors may contain the name of a file or model.
_TEXTS = re.compile(
    r"""
      (\[metal::malloc\]\ )?Attempting\ to\ allocate\ \d+\ bytes\ which\ is\ greater\ than\ the\ maximum\ .+
    | \[metal::malloc\]\ Resource\ limit\ \(\d+\)\ exceeded\.?
    | \[malloc(_or_wait)?\]\ Unable\ to\ allocate\ \d+\ bytes\.?
    | \[METAL\]\ Command\ buffer\ execution\ failed:\ Insufficient\ Memory\b.*
    | (cuda|cu[A-Z]|CUDA)\S*(\(.*\))?\ failed:\ out\ of\ memory\.?   # cudaMallocAsync(&data, size, stream)
    | .*\bCUDA_ERROR_OUT_OF_MEMORY\b.* | .*\b(CUBLAS|CUDNN)_STATUS_ALLOC_FAILED\b.*
    | std::bad_alloc
    """,
    re.VERBOSE | re.DOTALL,
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the error, or one of its causes, is a lack of memory."""
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    if isinstance(error, RuntimeError) and _TEXTS.fullmatch(str(error).strip()):
        return True
    return error.__cause__ is not None and is_out_of_memory(error.__cause__)
