"""Which machine this is."""

import platform

from inference import __version__
from inference.serving.health.checks import machine


def test_it_names_the_machine_and_the_versions() -> None:
    here, versions = machine.check()
    assert "cores" in here.text and versions.text.startswith(
        f"Python {platform.python_version()}, mlxsite {__version__}"
    )
