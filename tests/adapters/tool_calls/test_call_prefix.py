"""The prefix of a call is recognised, and so is its beginning."""

from inference.adapters.tool_calls.call_prefix import LIST_PREFIXES, CallPrefix, object_prefixes


def test_a_prefix_knows_its_beginnings() -> None:
    prefix = CallPrefix("<", r"(?P<name>[a-z]{1,8})", ">", r"\{")
    whole = "<add>{"
    assert all(prefix.can_become(whole[:end]) for end in range(len(whole) + 1))
    assert not prefix.can_become("<add>x")
    match = prefix.match(whole + "}")
    assert match and match["name"] == "add"


def test_the_arguments_may_have_either_key_and_a_type_may_come_first() -> None:
    for text in (
        '{"name": "add", "arguments": {',
        '{ "name" : "add",\n"parameters":{',
        '{"type": "function", "name": "add", "arguments": {',
    ):
        assert [match["name"] for prefix in object_prefixes() if (match := prefix.match(text))] == ["add"]


def test_a_list_may_open_before_the_first_call() -> None:
    assert any(prefix.match('[ {"name": "add", "arguments": {') for prefix in LIST_PREFIXES)
    assert not any(prefix.can_become('[["name"') for prefix in LIST_PREFIXES)
