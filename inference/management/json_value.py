"""A value of a command's option as JSON, with the limits of the API."""

from typing import Any

from inference.api.http import strict_json
from inference.core.errors import InvalidJSON


def parsed(text: str) -> Any:
    """The JSON value in `text`; raises ValueError for other texts, and for what the API does not take."""
    try:
        (value,) = strict_json.load_object(f'{{"value": {text}}}'.encode()).values()
    except (InvalidJSON, UnicodeEncodeError):
        raise ValueError("The text is not JSON.") from None
    return value
