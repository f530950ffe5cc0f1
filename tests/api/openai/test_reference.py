"""docs/api.md lists every published field with its handling and an existing test."""

import re

from tests.api.openai import proofs, reference
from tests.each import each


def test_the_page_has_the_tables_as_they_are_generated() -> None:
    page = reference.PAGE.read_text()
    assert page == reference.written(page), "run `python -m tests.api.openai.reference`"


@each("name", sorted(reference.BODIES))
def test_every_field_has_its_handling(name: str) -> None:
    for path, what, _ in reference.rows(name, reference.BODIES[name]):
        assert re.match(
            r"(enforced|accepted|noted): \S|another name of `|refused except `null`.*: \S", what
        ), path
        assert "None" not in what, path


@each("name", sorted(reference.BODIES))
def test_every_enforced_field_is_sent_to_its_endpoint(name: str) -> None:
    """A test of the worker alone passes where the endpoint forgets the field."""
    rows = reference.rows(name, reference.BODIES[name])
    unsent = [
        path
        for path, what, tests in rows
        if what.startswith("enforced") and not any(test.startswith(("api/", "e2e/")) for test in tests)
    ]
    assert unsent == []


def test_every_test_that_is_named_exists() -> None:
    missing = [
        f"{path.name}::{test}"
        for path, test in sorted(reference.tests_named())
        if not re.search(rf"^(async )?def {test}\(", path.read_text(), re.MULTILINE)
    ]
    assert missing == []


def test_no_two_classes_have_one_name() -> None:
    """Proofs and mutants know the objects inside bodies by the names of their classes."""
    owners = {owner for body in reference.BODIES.values() for owner, _, _ in reference.fields(body)}
    assert len({owner.__name__ for owner in owners}) == len(owners)


def test_no_proof_is_left_over() -> None:
    rows = [row for name, body in reference.BODIES.items() for row in reference.rows(name, body)]
    used = {proof for _, _, tests in rows for proof in tests}
    assert used >= {*proofs.PROOFS.values(), *reference.PARTS.values()}
    owners = {owner for body in reference.BODIES.values() for owner, _, _ in reference.fields(body)}
    known = {f"{owner.__name__}.{name}" for owner in owners for name in owner.names()}
    known |= {owner.__name__ for owner in owners}
    assert reference.PARTS.keys() <= known
