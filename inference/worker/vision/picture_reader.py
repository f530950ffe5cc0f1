"""From the bytes of a picture to its pixels: upright, opaque, RGB.

1. Open it as one of four formats; its header must state the size that was announced, which has been checked
   against the limits. Nothing is decoded before that.
2. Decode the first frame.
3. Turn it as its EXIF data says.
4. Put what is transparent on white.
"""

import logging
from io import BytesIO

from PIL import Image, ImageOps

from inference.core.picture_header import UNREADABLE
from inference.core.requests import Picture

logger = logging.getLogger(__name__)
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
_WHITE = (255, 255, 255, 255)
_TRANSPARENT_MODES = frozenset({"RGBA", "RGBa", "LA", "La", "PA"})
Image.MAX_IMAGE_PIXELS = None  # step 1 is stricter, and Pillow only warns


class UnreadablePicture(Exception):
    """The message is for the client that sent the picture."""


def read(picture: Picture) -> Image.Image:
    """The picture's pixels, mode RGB; raises UnreadablePicture."""
    try:
        with Image.open(BytesIO(picture.data), formats=_FORMATS) as opened:
            if opened.size != (picture.width, picture.height):
                raise UnreadablePicture(f"{UNREADABLE}: it is not as large as its header says.")
            opened.load()
            return _opaque(_in_eight_bits(ImageOps.exif_transpose(opened)))
    except UnreadablePicture:
        raise
    except Exception as error:  # decoders raise what they like for broken files
        logger.info("Cannot read a picture: %s", error)
        raise UnreadablePicture(
            f"{UNREADABLE}: the file is incomplete or damaged. Save it again as PNG or JPEG."
        ) from None


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """The same with eight bits for each grey value: Pillow cuts those of 16-bit pictures off at 255."""
    if not image.mode.startswith("I"):
        return image
    return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode not in _TRANSPARENT_MODES and "transparency" not in image.info:
        return image.convert("RGB")
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, _WHITE), image).convert("RGB")
