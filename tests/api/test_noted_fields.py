"""What is noted changes nothing, in every object of every dialect's bodies."""

from collections.abc import Iterator
from typing import Any

from inference.api.http import sealed_text
from inference.api.http.strict_json import check
from inference.api.http.strict_schema import Strict, noted_in
from inference.api.openai.responses.conversation import ConversationBuilder
from inference.api.openai.responses.input_items import COMPACTION
from inference.api.openai.schemas import ResponseBody
from inference.api.openai.schemas.input_items import CompactionItem
from tests.api.openai import reference
from tests.api.openai.body_places import Path, replaced
from tests.api.whole_bodies import BODIES
from tests.each import each

VALUES: tuple[Any, ...] = ("something", 0, True, {"a": [1]}, [])


def objects(made: Any, at: Path = ()) -> Iterator[tuple[type[Strict], Path]]:
    """The class and the place of every object in a body."""
    if isinstance(made, list):
        for place, item in enumerate(made):
            yield from objects(item, (*at, place))
    if not isinstance(made, Strict):
        return
    yield type(made), at
    for name, field in type(made).model_fields.items():
        yield from objects(getattr(made, name), (*at, field.alias or name))


def value_at(body: Any, path: Path) -> Any:
    for step in path:
        body = body[step]
    return body


def meaning(body: Strict) -> dict[str, Any]:
    return body.model_dump(warnings=False)  # about unions, which are not read back


def asked(body: Any) -> Any:
    """What the model is asked: a chat, a prompt, or what it reads of items."""
    items = body.input if isinstance(body, ResponseBody) else getattr(body, "items", None)
    if not isinstance(items, list):
        return body.request()
    made = ConversationBuilder()
    for place, item in enumerate(items):
        made.add(item, f"input.{place}.")
    return made.messages


@each("name", BODIES)
def test_what_is_noted_changes_nothing_and_is_listed(name: str) -> None:
    schema, body = BODIES[name]
    plain = check(body, schema)
    meant, listed = meaning(plain), set(noted_in(plain))
    for owner, path in objects(plain):
        whole = value_at(body, path)
        fields = owner.noted.keys() - whole.keys()
        for value in VALUES if fields else ():  # all fields of the object at once: each is listed or silent
            noted = check(replaced(body, path, whole | dict.fromkeys(fields, value)), schema)
            assert meaning(noted) == meant
            added = set(noted_in(noted)) - listed
            assert added == {".".join(map(str, (*path, field))) for field in fields - set(owner.silent)}


@each("name", BODIES)
def test_what_is_accepted_changes_nothing(name: str) -> None:
    schema, body = BODIES[name]
    for owner, path in objects(check(body, schema)):
        if owner is CompactionItem:
            body = replaced(body, (*path, "encrypted_content"), sealed_text.seal("So far.", COMPACTION))
    plain = check(body, schema)
    for owner, path in objects(plain):
        known = owner.model_fields.items()
        taken = {field.alias or name for name, field in known if reference.is_taken(field)}
        whole = value_at(body, path)
        kept = {name: value for name, value in whole.items() if name not in taken}
        if len(kept) < len(whole):
            assert asked(check(replaced(body, path, kept), schema)) == asked(plain)


@each("name", BODIES)
def test_nothing_is_noted_where_nothing_is_asked_for(name: str) -> None:
    schema, body = BODIES[name]
    plain = check(body, schema)
    for owner, path in objects(plain):
        nothing = dict.fromkeys(owner.noted.keys() - value_at(body, path).keys())
        asked = check(replaced(body, path, value_at(body, path) | nothing), schema)
        assert list(noted_in(asked)) == list(noted_in(plain))


def test_every_class_that_notes_or_accepts_fields_is_among_these_bodies() -> None:
    reached = {owner for schema, body in BODIES.values() for owner, _ in objects(check(body, schema))}
    owners = {
        owner
        for body in reference.BODIES.values()
        for owner in (body, *(owner for owner, _, _ in reference.fields(body)))
    }
    taking = {owner for owner in owners if any(map(reference.is_taken, owner.model_fields.values()))}
    assert taking | {owner for owner in owners if owner.noted} <= reached
