"""The tensors of a model on the hub, from the headers of its files: nothing else of the weights is read."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from inference.repository.downloads.errors import HubUnavailable
from inference.repository.downloads.http import HubClient
from inference.repository.downloads.partial_file import HubFile
from inference.repository.files import safetensors
from inference.repository.files.safetensors import BrokenWeights, Tensor

_FIRST_BYTES = 2**17  # of a file: most headers end in them
_AT_ONCE = 6
_MOST_FILES = 48
_MOST_HEADER_BYTES = 32 * 2**20
_WHOLE_S = 20.0


def read(
    client: HubClient, revision: str, files: Sequence[HubFile], config: Mapping[str, Any]
) -> list[Tensor]:
    """Every tensor of these files, or for very many files a stand-in of the same size.

    Raises BrokenWeights, FetchFailed or TransientError.
    """
    if len(files) > _MOST_FILES:
        return stand_in(sum(file.size for file in files), config)
    until = time.monotonic() + _WHOLE_S

    def header(file: HubFile) -> tuple[bytes, int]:
        if time.monotonic() > until:
            raise HubUnavailable(
                "The hub responds too slowly to read the headers of the weights; try again later."
            )
        return _header(client, revision, file)

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="hub-headers") as threads:
        headers = list(threads.map(header, files))
    if sum(len(text) for text, _ in headers) > _MOST_HEADER_BYTES:
        raise BrokenWeights("its weight files describe more tensors than any model has")
    return [
        tensor
        for file, (text, size) in zip(files, headers, strict=True)
        for tensor in safetensors.described(file.name, text, size)
    ]


def stand_in(size: int, config: Mapping[str, Any]) -> list[Tensor]:
    """What stands for weights of `size` bytes; packed numbers where the config has a quantisation."""
    if not isinstance(config.get("quantization"), dict):
        return [Tensor("all.weight", "BF16", (size // 2,), size)]
    return [Tensor("all.weight", "U32", (size // 4,), size), Tensor("all.scales", "BF16", (0,), 0)]


def _header(client: HubClient, revision: str, file: HubFile) -> tuple[bytes, int]:
    """A file's header, and how many bytes come after it."""
    first = client.part(revision, file.name, 0, min(_FIRST_BYTES, max(8, file.size)))
    length = safetensors.header_length(file.name, first[:8], file.size)
    header = first[8 : 8 + length]
    if missing := length - len(header):
        header += client.part(revision, file.name, 8 + len(header), missing)
    safetensors.check_header(file.name, header)
    return header, file.size - 8 - length
