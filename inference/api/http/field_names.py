"""What an endpoint's body calls the fields that the rest of the server names.

Pool, worker and adapters name fields as /v1/chat/completions does. Other endpoints have the same fields under
other names, and an error has to name what was sent.
"""

import copy
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from inference.core.errors import ServerError

# From the path of a field to its path here. `*` is any index. Where both end with a dot, what is below the
# field keeps its place; otherwise the new path stands for all of it.
Names = Mapping[str, str]


@contextmanager
def in_names_of(names: Names) -> Iterator[None]:
    """Have a ServerError raised inside name the fields as the body does."""
    try:
        yield
    except ServerError as error:
        if not names:
            raise
        raise renamed(error, names) from error


def renamed(error: ServerError, names: Names) -> ServerError:
    """The same error about the same fields, in the names of the body that was sent."""
    made = copy.copy(error)
    made.param = None if error.param is None else path_of(error.param, names)
    made.message = _renamed_message(error.message, names)
    if error.param and made.param != error.param:  # it may be an English word elsewhere in the message
        made.message = re.sub(rf"^{re.escape(error.param)}(?!\w)", made.param or "", made.message)
    made.args = (made.message,)
    return made


def path_of(param: str, names: Names) -> str:
    """Where the field is in the body; the most particular name counts."""
    steps = param.split(".")
    for end in range(len(steps), 0, -1):
        above, below = steps[:end], steps[end:]
        for known in (".".join(above), ".".join("*" if step.isdecimal() else step for step in above)):
            if f"{known}." in names:
                return _filled(names[f"{known}."] + ".".join(below), above).rstrip(".")
            if known in names:
                return _filled(names[known], above)
    return param


def _filled(path: str, steps: list[str]) -> str:
    for place in (step for step in steps if step.isdecimal()):
        path = path.replace("*", place, 1)
    return path


def _renamed_message(message: str, names: Names) -> str:
    """The message with its fields renamed: only names that are no English word."""
    for name, here in names.items():
        if "_" in name and "." not in name:
            message = re.sub(rf"(?<![\w.]){name}(?!\w)", here, message)
    return message
