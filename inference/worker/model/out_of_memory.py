"""Whether an exception says that memory ran out.

MLX has no class of its own for that: its allocators and its command buffers raise RuntimeErrors, which only
their text tells from those about a broken file. The texts are in MLX's sources
(https://github.com/ml-explore/mlx: mlx/backend/metal/allocator.cpp and device.cpp,
mlx/backend/cuda/allocator.cpp and utils.cpp) and in reports: mlx#63, mlx#479, mlx-lm#1644, exo#2300.
This is the only place that looks at them.
"""

import errno
import re

# From their first word to their last: the name of a file or of a model may be in the text of any other error.
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
    """Whether it, or what caused it, is that there is too little memory."""
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    if isinstance(error, RuntimeError) and _TEXTS.fullmatch(str(error).strip()):
        return True
    return error.__cause__ is not None and is_out_of_memory(error.__cause__)
