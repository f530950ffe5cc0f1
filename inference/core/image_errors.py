"""Errors about a picture of a request, with OpenAI's codes.

https://platform.openai.com/docs/api-reference/responses/object - `error.code` lists them.
"""

from inference.core.errors import InvalidValue


class InvalidImage(InvalidValue):
    """The picture cannot be used for another reason than those below."""

    code = "invalid_image"


class InvalidBase64Image(InvalidImage):
    code = "invalid_base64_image"


class InvalidImageUrl(InvalidImage):
    code = "invalid_image_url"


class UnsupportedImageType(InvalidImage):
    """The picture has none of the formats that can be read, or is said to have another one."""

    code = "unsupported_image_media_type"


class EmptyImageFile(InvalidImage):
    code = "empty_image_file"


class ImageFileTooLarge(InvalidImage):
    """The file has too many bytes."""

    code = "image_file_too_large"


class ImageTooLarge(InvalidImage):
    """The picture has too many pixels."""

    code = "image_too_large"


class ImageParseError(InvalidImage):
    """The file is damaged."""

    code = "image_parse_error"


class FailedToDownloadImage(InvalidImage):
    code = "failed_to_download_image"
