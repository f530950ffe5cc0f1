"""The shelves of the admin: every page that its index and its side navigation list, in their order.

A page that belongs to no table needs one line in PAGES: its shelf, its title, the name of its URL and the
permissions of which one is enough to see it.
"""

from typing import Any, NamedTuple

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.urls import reverse

SHELVES = {
    "Models": "What this server can run, and what it fetches from the hub.",
    "Requests": "What was asked and how it ended, and whether its text is stored.",
    "Keys": "The keys that programs send, with what each may do.",
    "People": "Who may sign in, what they may do, and how much of the server they may use.",
    "System": "What the server itself decided and did.",
}
_OTHERS = "System"  # where a registered table without a line below is listed


class Page(NamedTuple):
    """One page of a shelf. That of a table needs no permissions here, because its ModelAdmin has them."""

    shelf: str
    title: str
    url_name: str
    permissions: tuple[str, ...] = ()


PAGES = (
    Page("Models", "Models", "admin:inference_servedmodel_changelist"),
    Page("Models", "Discover", "admin:inference_download_discover", ("inference.view_download",)),
    Page("Models", "Downloads", "admin:inference_download_changelist"),
    Page("Models", "GGUF files", "admin:inference_download_gguf", ("inference.view_download",)),
    Page("Models", "Quantisations", "admin:inference_quantisation_changelist"),
    Page("Models", "Upstreams", "admin:inference_upstream_changelist"),
    Page("Requests", "Requests", "admin:inference_requestrecord_changelist"),
    Page("Requests", "Usage", "admin:inference_usagehour_changelist"),
    Page("Requests", "Captures", "admin:inference_capture_changelist"),
    Page("Requests", "Stored responses", "admin:inference_storedresponse_changelist"),
    Page("Requests", "Stored conversations", "admin:inference_storedconversation_changelist"),
    Page("Keys", "API keys", "admin:inference_apikey_changelist"),
    Page("Keys", "Connect", "connect", ("inference.view_servedmodel", "inference.run_servedmodel")),
    Page("People", "Users", "admin:auth_user_changelist"),
    Page("People", "Groups", "admin:auth_group_changelist"),
    Page("People", "Sign-in attempts", "admin:inference_signinattempts_changelist"),
    Page("System", "Health", "admin:inference_healthcheck_changelist"),
    Page("System", "Log", "admin:inference_logline_changelist"),
    Page("System", "Scheduler events", "admin:inference_poolevent_changelist"),
)


def app_list(request: HttpRequest, apps: list[Any]) -> list[dict[str, Any]]:
    """The shelves in the form of Django's list of apps; `apps` is that list, of what this user may see."""
    tables = {table["admin_url"]: table for app in apps for table in app["models"] if table["admin_url"]}
    shelves: dict[str, list[dict[str, Any]]] = {name: [] for name in SHELVES}
    for page in PAGES:
        url = reverse(page.url_name)
        if table := tables.pop(url, None):
            shelves[page.shelf].append(table | {"name": page.title})
        elif _may_see(request.user, page):
            shelves[page.shelf].append(_entry(page, url))
    shelves[_OTHERS] += tables.values()
    _mark_current([page for pages in shelves.values() for page in pages], request.path)
    return [_shelf(name, pages) for name, pages in shelves.items() if pages]


def _mark_current(pages: list[dict[str, Any]], path: str) -> None:
    """Mark the page that is shown, or the one that it is below: that of the longest address."""
    above = [page for page in pages if path.startswith(page["admin_url"])]
    if above:
        nearest = max(above, key=lambda page: len(page["admin_url"]))
        nearest["aria_current"] = "page" if nearest["admin_url"] == path else "true"


def _may_see(user: Any, page: Page) -> bool:
    return not isinstance(user, AnonymousUser) and any(map(user.has_perm, page.permissions))


def _entry(page: Page, url: str) -> dict[str, Any]:
    return {"name": page.title, "object_name": page.title, "admin_url": url, "add_url": None, "perms": {}}


def _shelf(name: str, pages: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": name,
        "app_label": name.lower(),
        "app_url": "",
        "has_module_perms": True,
        "sentence": SHELVES[name],
        "models": pages,
    }
