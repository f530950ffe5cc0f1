"""The buttons of a row as HTML."""

from inference.admin.row_buttons import RowButton, row_buttons


def test_a_button_sends_its_action_to_its_own_url() -> None:
    html = row_buttons(RowButton("Load", 'a "b"', "/act/", 'load a "b"'))
    assert (
        'formaction="/act/" name="act" value="load a &quot;b&quot;" aria-label="Load a &quot;b&quot;"' in html
    )
    assert "<form" not in html  # the list is in one already


def test_one_without_an_action_is_a_link() -> None:
    assert '<a class="button" href="/?model=a" aria-label="Chat a">Chat</a>' in row_buttons(
        RowButton("Chat", "a", "/?model=a")
    )


def test_what_a_script_may_show_is_there_and_hidden_and_nothing_else() -> None:
    hidden = RowButton("Load", "a", "/act/", "load a", is_shown=False, key="load")
    assert 'data-load="a" hidden>Load' in row_buttons(hidden)
    assert "Load" not in row_buttons(hidden._replace(key=""))
    assert "dangerous" in row_buttons(RowButton("Revoke", "a", "/act/", "revoke 1", is_dangerous=True))
