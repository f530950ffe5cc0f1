"""The bias of tokens: OpenAI's object of token ids, and llama.cpp's pairs, texts and `false`.

Source: llama.cpp's tools/server/README.md. Texts are tokenized where the model is.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, Strict, Tag
from pydantic_core import PydanticCustomError

from inference.api.http.strict_schema import either

_MOST_BIASES = 1024
_ID = re.compile(r"[0-9]{1,9}")
_INTEGER = re.compile(r"[+-]?[0-9]+")


def _check_pair(value: Any) -> Any:
    if not isinstance(value, list) or len(value) != 2:
        raise PydanticCustomError("no_pair", "It must be a list of a token and its bias")
    return value


def _check_number(key: str) -> str:
    if _INTEGER.fullmatch(key) and not _ID.fullmatch(key):
        raise PydanticCustomError("no_token", "A number must be the id of a token")
    return key


_Text = Annotated[str, Field(min_length=1, max_length=500)]
_Key = Annotated[_Text, AfterValidator(_check_number)]  # JSON's keys are strings
_Bias = Annotated[
    Annotated[Literal[False], Tag("<never>")] | Annotated[float, Field(ge=-100, le=100), Tag("<number>")],
    either({"<never>": bool, "<number>": (int, float)}, "a number from -100 to 100, or false"),
]
_Token = Annotated[
    Annotated[int, Field(ge=0, le=2**31 - 1), Tag("<id>")] | Annotated[_Text, Tag("<text>")],
    either({"<id>": int, "<text>": str}, "the id of a token, or a text"),
]
_Pair = Annotated[tuple[_Token, _Bias], Strict(False), BeforeValidator(_check_pair)]  # in JSON it is a list
LogitBias = Annotated[
    Annotated[dict[_Key, _Bias], Field(max_length=_MOST_BIASES), Tag("<object>")]
    | Annotated[list[_Pair], Field(max_length=_MOST_BIASES), Tag("<pairs>")],
    either({"<object>": dict, "<pairs>": list}, "an object of biases, or a list of pairs"),
]
NEVER: Literal[False] = False


def pairs_of(bias: Any) -> Iterator[tuple[int | str, float | Literal[False]]]:
    """Token id or text, and bias, of either form as it was checked; in an object digits are an id."""
    if not isinstance(bias, dict):
        yield from bias or ()
        return
    for key, value in bias.items():
        yield (int(key) if _ID.fullmatch(key) else key), value
