"""Six pictures drawn by code, each with a question that a model which sees answers with a known word.

`python -m inference.worker.vision.drawings` writes them to standard output, as JSON; pictures are base64.
"""

import base64
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

_SIZE = (448, 448)
_BLACK, _BLUE, _GREEN, _RED = (0, 0, 0), (30, 60, 220), (20, 150, 50), (220, 30, 30)


@dataclass(frozen=True)
class Drawing:
    """`words` are the answers that are right; one of them has to be in the answer."""

    about: str
    question: str
    words: tuple[str, ...]
    draw: Callable[[ImageDraw.ImageDraw], None]

    def png(self) -> bytes:
        image = Image.new("RGB", _SIZE, "white")
        self.draw(ImageDraw.Draw(image))
        file = BytesIO()
        image.save(file, "PNG")
        return file.getvalue()


def _circle(draw: ImageDraw.ImageDraw) -> None:
    draw.ellipse((94, 94, 354, 354), fill=_RED)


def _triangle(draw: ImageDraw.ImageDraw) -> None:
    draw.polygon(((224, 80), (380, 350), (68, 350)), fill=_GREEN)


def _squares(draw: ImageDraw.ImageDraw) -> None:
    for left, top in ((60, 70), (280, 110), (150, 290)):
        draw.rectangle((left, top, left + 90, top + 90), fill=_BLUE)


def _place(draw: ImageDraw.ImageDraw) -> None:
    draw.line((224, 0, 224, 448), fill=_BLACK, width=6)
    draw.ellipse((60, 180, 150, 270), fill=_GREEN)


def _written(text: str) -> Callable[[ImageDraw.ImageDraw], None]:
    def draw(draw: ImageDraw.ImageDraw) -> None:
        draw.text((224, 224), text, fill=_BLACK, font=ImageFont.load_default(size=80), anchor="mm")

    return draw


_ONE_WORD = "Answer with one word."
DRAWINGS = (
    Drawing("colour", f"Which colour does the circle have? {_ONE_WORD}", ("red",), _circle),
    Drawing("shape", f"Is this a circle, a square or a triangle? {_ONE_WORD}", ("triangle",), _triangle),
    Drawing("count", "How many blue squares are there? Answer with a number.", ("3", "three"), _squares),
    Drawing(
        "place", f"Is the green dot to the left or to the right of the line? {_ONE_WORD}", ("left",), _place
    ),
    Drawing("word", "Which word is written here? Answer with this word.", ("harbour",), _written("HARBOUR")),
    Drawing("number", "Which number is written here? Answer with digits.", ("4207",), _written("4207")),
)


def main() -> None:
    json.dump(
        [
            {
                "about": one.about,
                "question": one.question,
                "words": one.words,
                "picture": base64.b64encode(one.png()).decode(),
            }
            for one in DRAWINGS
        ],
        sys.stdout,
    )


if __name__ == "__main__":
    main()
