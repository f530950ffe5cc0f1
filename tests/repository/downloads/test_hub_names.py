"""Names of repositories on the hub."""

import pytest

from inference.repository.downloads.errors import NotAnId
from inference.repository.downloads.hub_names import check_id, id_in, is_name
from tests.each import each


@each("name", ["org/tiny", "Org-1/tiny.v2_b", "0/0"])
def test_owner_and_name_are_an_id(name: str) -> None:
    check_id(name)
    assert is_name(name)


@each(
    "name",
    ["tiny", "a/b/c", "../tiny", "org/..", "org/a..b", "org--x/tiny", "-org/tiny", "org/" + "n" * 97, "é/b"],
)
def test_what_could_lead_elsewhere_is_no_id(name: str) -> None:
    with pytest.raises(NotAnId):
        check_id(name)


@each(
    ("text", "found"),
    [
        ("org/tiny", "org/tiny"),
        (" https://huggingface.co/org/tiny ", "org/tiny"),
        ("https://huggingface.co/org/tiny/tree/main?x=1#files", "org/tiny"),
        ("hf.co/org/tiny/", "org/tiny"),
        ("qwen 4b", ""),
        ("https://huggingface.co/org", ""),
        ("https://elsewhere.example/org/tiny", ""),
        ("https://huggingface.co/../tiny", ""),
    ],
)
def test_the_id_in_a_pasted_text(text: str, found: str) -> None:
    assert id_in(text) == found


@pytest.mark.parametrize(
    ("address", "advice"),
    [
        ("https://huggingface.co/org/tiny", "Leave out https://huggingface.co/: org/tiny."),
        ("hf.co/org/tiny/tree/main", "Leave out hf.co/ and /tree/main: org/tiny."),
    ],
)
def test_the_address_of_a_page_is_corrected(address: str, advice: str) -> None:
    with pytest.raises(NotAnId, match=advice):
        check_id(address)


def test_an_import_has_a_name_alone() -> None:
    assert is_name("tiny-gguf")
    assert not is_name("../tiny") and not is_name("")
