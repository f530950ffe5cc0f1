from dataclasses import dataclass

import pytest

from inference.core import mlx_device


@dataclass
class Package:
    name: str


@pytest.mark.parametrize(
    ("platform", "packages", "found"),
    [
        ("linux", ["mlx", "mlx-cpu"], True),
        ("linux", ["mlx", "mlx_cuda_13"], False),
        ("darwin", ["mlx"], False),
    ],
)
def test_the_device_is_known_by_what_is_installed(
    monkeypatch: pytest.MonkeyPatch, platform: str, packages: list[str], found: bool
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr(mlx_device, "distributions", lambda: [Package(name) for name in packages])
    assert mlx_device.is_cpu() == found
