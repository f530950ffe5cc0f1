"""The drawn pictures: each differs from a blank one, and shows what its question is about."""

import json
import subprocess
import sys
from io import BytesIO

import pytest
from PIL import Image

from inference.core.config import BASE_DIR
from inference.worker.vision.drawings import DRAWINGS, Drawing


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda drawing: drawing.about)
def test_a_drawing_shows_something_in_the_middle_of_white(drawing: Drawing) -> None:
    image = Image.open(BytesIO(drawing.png()))
    colours = {colour: count for count, colour in image.getcolors(2**24) or ()}
    assert image.size == (448, 448) and 0.4 < colours[255, 255, 255] / 448**2 < 0.99
    assert len(colours) >= 2 and image.getpixel((2, 2)) == (255, 255, 255)


def test_they_are_printed_with_their_questions() -> None:
    command = [sys.executable, "-m", "inference.worker.vision.drawings"]
    printed = json.loads(subprocess.run(command, cwd=BASE_DIR, capture_output=True, check=True).stdout)
    assert [one["about"] for one in printed] == [one.about for one in DRAWINGS]
    assert len({one["picture"] for one in printed}) == 6
