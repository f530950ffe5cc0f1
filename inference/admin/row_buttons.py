"""The buttons in a row of a list: each sends `act` to its own URL with the list's form, or is a link."""

from typing import NamedTuple

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


class RowButton(NamedTuple):
    """One button. Without `act` it is a link; `subject` is what it acts on, for screen readers."""

    text: str
    subject: str
    url: str
    act: str = ""
    is_dangerous: bool = False
    is_shown: bool = True
    key: str = ""  # by which a script finds the button, to show or hide it when the row changes


def row_buttons(*buttons: RowButton) -> SafeString:
    """The buttons as HTML; one that is not shown is there, hidden, if a script may show it."""
    shown = [button for button in buttons if button.is_shown or button.key]
    return format_html(
        '<div class="row-acts">{}</div>', format_html_join("", "{}", ((_html(button),) for button in shown))
    )


def _html(button: RowButton) -> SafeString:
    label = f"{button.text} {button.subject}"
    if not button.act:
        return format_html(
            '<a class="button" href="{}" aria-label="{}">{}</a>', button.url, label, button.text
        )
    key = format_html(' data-{}="{}"', button.key, button.subject) if button.key else ""
    return format_html(
        '<button type="submit" class="button{}" formaction="{}" name="act" value="{}" aria-label="{}"{}{}>'
        "{}</button>",
        " dangerous" if button.is_dangerous else "",
        button.url,
        button.act,
        label,
        key,
        "" if button.is_shown else " hidden",
        button.text,
    )
