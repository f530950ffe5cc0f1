"""The tables of docs/api.md: every field of every body, its handling, and its tests.

    python -m tests.api.openai.reference

writes them between the markers `<!-- fields of ... -->` and `<!-- end -->`; test_reference.py fails when they
differ.
"""

import functools
import json
import re
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from inference.api.ollama.schemas import (
    EmbedBody,
    GenerateBody,
    OldEmbeddingBody,
    OllamaChatBody,
    ShowBody,
)
from inference.api.openai.schemas import (
    ChatCompletionBody,
    CompletionBody,
    ControlBody,
    DetokenizeBody,
    EmbeddingBody,
    RerankBody,
    ResponseBody,
    Strict,
)
from inference.api.openai.schemas.conversations import ConversationBody, ConversationUpdate, ItemsBody
from inference.api.vllm.schemas import DetokenizeTokensBody, TokenizeChatBody, TokenizeTextBody
from inference.core.config import BASE_DIR
from tests.api.anthropic import proofs as anthropic
from tests.api.openai import part_proofs, proofs, reaching
from tests.api.openai.asking import HELLO

PAGE = BASE_DIR / "docs" / "api.md"
BODIES: Mapping[str, type[Strict]] = {
    "chat/completions": ChatCompletionBody,
    "completions": CompletionBody,
    "control": ControlBody,
    "responses": ResponseBody,
    "conversations": ConversationBody,
    "conversation update": ConversationUpdate,
    "conversation items": ItemsBody,
    "embeddings": EmbeddingBody,
    "rerank": RerankBody,
    "detokenize": DetokenizeBody,
    **anthropic.BODIES,
    "vllm/tokenize text": TokenizeTextBody,
    "vllm/tokenize chat": TokenizeChatBody,
    "vllm/detokenize": DetokenizeTokensBody,
    "ollama/chat": OllamaChatBody,
    "ollama/generate": GenerateBody,
    "ollama/embed": EmbedBody,
    "ollama/embeddings": OldEmbeddingBody,
    "ollama/show": ShowBody,
}
# Of what clients send back, and of what names something for the client alone.
_WITHOUT_EFFECT = ("Part of output items", "A label")
ACCEPTED = "api/test_noted_fields.py::test_what_is_accepted_changes_nothing"
PARTS: Mapping[str, str] = {**part_proofs.PROOFS, **anthropic.PARTS}
# Tests that a field reaches the model, each with what its cases are added to.
REACHING: Mapping[str, tuple[str, dict[str, Any], Sequence[tuple[dict[str, Any], str, Any]]]] = {
    "chat/completions": (
        "test_a_field_of_a_chat_reaches_the_model",
        {"model": "tiny", "messages": HELLO},
        reaching.CHAT,
    ),
    "completions": (
        "test_a_field_of_a_completion_reaches_the_model",
        {"model": "tiny", "prompt": "Hi"},
        reaching.COMPLETION,
    ),
    "responses": (
        "test_a_field_of_a_response_reaches_the_model",
        {"model": "tiny", "input": "Hi"},
        reaching.RESPONSE,
    ),
    "embeddings": (
        "test_a_field_of_an_embedding_reaches_the_model",
        {"model": "tiny", "input": "Hi"},
        reaching.EMBEDDING,
    ),
}


def rows(name: str, body: type[Strict]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Path, handling and tests of each field, nested ones included."""
    for owner, path, what in _handling(body):
        kind = next((kind for kind in ("refused", "noted", "another name") if what.startswith(kind)), "")
        if kind:
            yield path, what, (handled_by(name)[kind],)
        elif what.startswith("accepted"):
            yield path, what, (ACCEPTED,)
        else:
            yield path, what, proofs_of(name, owner, path.replace("[]", ""))


def handled_by(name: str) -> Mapping[str, str]:
    """The tests of what a dialect refuses, notes and takes under other names."""
    refused, alias = proofs.REFUSED, proofs.ALIAS
    if name in anthropic.BODIES:
        refused = anthropic.REFUSED
    elif name.startswith("ollama/"):
        refused, alias = (test.replace(proofs.HANDLING_FILE, proofs.OLLAMA_FILE) for test in (refused, alias))
    elif name.startswith("vllm/"):
        refused = f"{proofs.AT_ROOT_FILE}::test_what_is_wrong_is_named"
    return {"refused": refused, "noted": proofs.NOTED, "another name": alias}


def proofs_of(name: str, owner: type[Strict], path: str) -> tuple[str, ...]:
    """The test that the field reaches the model, if any, then the test of its effect.

    An object inside a body has its own tests, whichever bodies it is in.
    """
    field = path.rpartition(".")[2]
    arrives = proofs.ARRIVALS.get(f"{name}.{path}") or _arrival(owner, field)
    proved = _of_body(name, path) if owner is BODIES[name] else _of_part(owner, field)
    return tuple(dict.fromkeys(test for test in (arrives, proved) if test))


def _of_body(name: str, path: str) -> str:
    shared = None if "/" in name.replace("chat/completions", "") else proofs.PROOFS.get(path)
    if found := proofs.PROOFS.get(f"{name}.{path}") or shared or proofs.PROOFS.get(name):
        return found
    raise LookupError(f"no test is named for {path} of {name}")


def _of_part(owner: type[Strict], field: str) -> str:
    if found := PARTS.get(f"{owner.__name__}.{field}") or PARTS.get(owner.__name__):
        return found
    raise LookupError(f"no test is named for {owner.__name__}.{field}")


def _arrival(owner: type[Strict], field: str) -> str:
    """The first test of REACHING that sends the field; empty where none does."""
    test = next((test for test, sent in _sent().items() if (owner, field) in sent), "")
    return f"api/openai/test_reaching.py::{test}" if test else ""


@functools.cache
def _sent() -> Mapping[str, set[tuple[type[Strict], str]]]:
    """By test of REACHING, the fields of its cases, each with the class that it is in."""
    return {
        test: {
            sent for fields, _, _ in cases for sent in _fields_of(BODIES[name].model_validate(plain | fields))
        }
        for name, (test, plain, cases) in REACHING.items()
    }


def _fields_of(made: Any) -> Iterator[tuple[type[Strict], str]]:
    """The fields that an object has, and those of the objects in it."""
    if isinstance(made, list):
        for one in made:
            yield from _fields_of(one)
    if not isinstance(made, Strict):
        return
    for name in made.model_fields_set:
        yield type(made), type(made).model_fields[name].alias or name
        yield from _fields_of(getattr(made, name))


def _handling(body: type[Strict], before: str = "") -> Iterator[tuple[type[Strict], str, str]]:
    for name, field in body.model_fields.items():
        path = f"{before}{field.alias or name}"
        inner, is_list = _inside(field.annotation)
        word = "accepted" if is_taken(field) else "enforced"
        yield body, path + ("[]" if is_list else ""), f"{word}: {field.description}"
        for one in inner:
            yield from _handling(one, f"{path}[]." if is_list else f"{path}.")
    for name, refused in body.refused.items():
        taken = ", ".join(f"`{json.dumps(value)}`" for value in (None, *refused.harmless[:3]))
        yield body, before + name, f"refused except {taken}: {refused.why}"
    yield from ((body, before + name, f"noted: {why}") for name, why in body.noted.items())
    yield from ((body, before + alias, f"another name of `{name}`.") for alias, name in body.aliases.items())


def is_taken(field: FieldInfo) -> bool:
    """Whether the field is accepted without effect."""
    return str(field.description).startswith(_WITHOUT_EFFECT)


def attribute(owner: type[Strict], field: str) -> str:
    """The attribute of a class that has the field of this name."""
    return next(name for name, known in owner.model_fields.items() if (known.alias or name) == field)


def fields(body: type[Strict], before: str = "") -> Iterator[tuple[type[Strict], str, str]]:
    """Class, name and path of each field that is not refused."""
    for name, field in body.model_fields.items():
        path = f"{before}{field.alias or name}"
        yield body, field.alias or name, path
        for one in _inside(field.annotation)[0]:
            yield from fields(one, f"{path}.")


def _inside(annotation: Any) -> tuple[list[type[Strict]], bool]:
    """The objects that a field is made of, and whether it is a list of them."""
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        return [annotation], False
    found: list[type[Strict]] = []
    is_list = typing.get_origin(annotation) is list
    for part in typing.get_args(annotation):
        inner, has_list = _inside(part)
        found += [one for one in inner if one not in found]
        is_list |= has_list
    return found, is_list and bool(found)


def table(name: str, body: type[Strict]) -> str:
    lines = ["| Field | Handling | Test |", "|---|---|---|"]
    for path, what, tests in rows(name, body):
        listed = ", ".join(f"`{test.partition('::')[2]}`" for test in tests)
        lines.append(f"| `{path}` | {what.replace('|', chr(92) + '|')} | {listed} |")
    return "\n".join(lines)


def written(page: str) -> str:
    """The page with its tables regenerated."""
    for name, body in BODIES.items():
        mark = re.compile(rf"(<!-- fields of {re.escape(name)} -->)\n.*?(<!-- end -->)", re.DOTALL)
        made = table(name, body)
        page, count = mark.subn(lambda found: f"{found[1]}\n{made}\n{found[2]}", page)  # noqa: B023 - used at once
        if count != 1:
            raise LookupError(f"docs/api.md has no place for the fields of {name}")
    return page


def tests_named() -> set[tuple[Path, str]]:
    """The file and name of each test that the tables name."""
    arrive = (f"api/openai/test_reaching.py::{test}" for test, _, _ in REACHING.values())
    handled = {test for name in BODIES for test in handled_by(name).values()}
    proved = {*proofs.PROOFS.values(), *PARTS.values(), *proofs.ARRIVALS.values()}
    named = {ACCEPTED, *handled, *proved, *arrive}
    return {(BASE_DIR / "tests" / path, test) for path, _, test in (one.partition("::") for one in named)}


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
