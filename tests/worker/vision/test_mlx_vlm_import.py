"""mlx-vlm's towers without the rest of it."""

import subprocess
import sys

import pytest

from inference.worker.vision.mlx_vlm_import import UnknownMlxVlm, family_module, is_installed
from tests.tiny_vision import NEEDS_MLX_VLM

pytestmark = [pytest.mark.mlx, NEEDS_MLX_VLM]


def test_only_the_modules_of_a_family_are_imported() -> None:
    program = (
        "import sys\n"
        "from inference.worker.vision.mlx_vlm_import import family_module\n"
        "family_module('mistral3', 'ModelConfig')\n"
        "print([name for name in ('mlx_vlm.generate', 'mlx_vlm.server', 'mlx_vlm.trainer', 'cv2', 'torch',"
        " 'datasets', 'fastapi', 'miniaudio') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_name_that_a_release_lacks_is_said() -> None:
    assert is_installed()
    with pytest.raises(UnknownMlxVlm, match="Nonsense"):
        family_module("pixtral", "VisionModel", "Nonsense")
    with pytest.raises(UnknownMlxVlm, match="no_such_family"):
        family_module("no_such_family")
