"""Files as the model reads them."""

from playground.attachment_prompt import fenced, with_attachments
from tests.each import each


def test_files_stand_before_the_question_in_their_order() -> None:
    files = [{"name": "a.txt", "text": "one\n"}, {"name": "b.md", "text": "```\ntwo\n```"}]
    prompt = with_attachments("What is this?", files)
    assert prompt == "a.txt\n```\none\n```\n\nb.md\n````\n```\ntwo\n```\n````\n\nWhat is this?"


def test_without_files_it_is_the_question() -> None:
    assert with_attachments("Hi", None) == with_attachments("Hi", []) == "Hi"


@each("text", ["", "a", "```", "x ````` y", "`````\n```"])
def test_no_text_ends_its_fence(text: str) -> None:
    fence, *lines = fenced(text).split("\n")
    assert lines[-1] == fence and fence not in "\n".join(lines[:-1])


def test_a_name_is_one_line() -> None:
    assert with_attachments("", [{"name": "a\n```\nb", "text": ""}]).startswith("a ``` b\n```\n")
