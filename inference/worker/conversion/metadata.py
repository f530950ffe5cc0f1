"""The metadata of a GGUF file, read by key; a missing or malformed value raises ValueError with its key."""

from collections.abc import Mapping
from typing import Any


class GgufMetadata:
    """The metadata of one file; keys of the architecture are given without its prefix."""

    def __init__(self, architecture: str, values: Mapping[str, Any]) -> None:
        self.architecture = architecture
        self._values = values

    def number(self, key: str, default: int | None = None) -> int:
        value = self._value(key, default)
        if not isinstance(value, int):
            raise ValueError(f"its {self._full(key)} is not one whole number")
        return int(value)

    def real(self, key: str, default: float | None = None) -> float:
        value = self._value(key, default)
        if not isinstance(value, int | float):
            raise ValueError(f"its {self._full(key)} is not one number")
        # Rounded to seven digits: the float32 nearest to 1e-5 is not 1e-5 as a float64.
        return float(f"{value:.7g}")

    def text(self, key: str, default: str = "") -> str:
        value = self._value(key, default)
        if not isinstance(value, str):
            raise ValueError(f"its {self._full(key)} is no text")
        return value

    def flag(self, key: str, default: bool) -> bool:
        return bool(self._value(key, default))

    def items(self, key: str) -> list[Any]:
        """The items of an array; empty if the file has no such key."""
        value = self._values.get(self._full(key), [])
        if isinstance(value, int | float | str):
            raise ValueError(f"its {self._full(key)} is no list")
        return list(value)

    def has(self, key: str) -> bool:
        return self._full(key) in self._values

    def _value(self, key: str, default: Any) -> Any:
        value = self._values.get(self._full(key), default)
        if value is None:
            raise ValueError(f"the file does not say its {self._full(key)}")
        return value

    def _full(self, key: str) -> str:
        return key if key.startswith("tokenizer.") else f"{self.architecture}.{key}"
