"""The navigation of the admin: the pages that its index and its sidebar list, by section and in order.

A page without a database table needs one line in PAGES: its section, its title, the name of its URL, and the
permissions, any one of which is enough to see it.
"""

from typing import Any, NamedTuple

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.urls import reverse

SECTIONS = {
    "Models": "The models of this server, and how to add more.",
    "Requests": "Requests in progress and recorded, their usage, and stored text.",
    "Keys": "The API keys of programs, and how to connect clients.",
    "People": "Accounts with their roles and limits, groups, and failed sign-ins.",
    "System": "The health of the server, its log, and scheduler decisions.",
}
_OTHERS = "System"  # lists the registered tables without a line below


class SectionPage(NamedTuple):
    """One page of a section. The page of a table has no permissions here: its ModelAdmin checks them."""

    section: str
    title: str
    url_name: str
    permissions: tuple[str, ...] = ()


PAGES = (
    SectionPage("Models", "Models", "admin:inference_servedmodel_changelist"),
    SectionPage("Models", "Discover", "admin:inference_download_discover", ("inference.view_download",)),
    SectionPage("Models", "Downloads", "admin:inference_download_changelist"),
    SectionPage("Models", "GGUF files", "admin:inference_download_gguf", ("inference.view_download",)),
    SectionPage("Models", "Quantisations", "admin:inference_quantisation_changelist"),
    SectionPage("Models", "Upstreams", "admin:inference_upstream_changelist"),
    SectionPage("Requests", "Requests", "admin:inference_requestrecord_changelist"),
    SectionPage("Requests", "Usage", "admin:inference_usagehour_changelist"),
    SectionPage("Requests", "Captures", "admin:inference_capture_changelist"),
    SectionPage("Requests", "Stored responses", "admin:inference_storedresponse_changelist"),
    SectionPage("Requests", "Stored conversations", "admin:inference_storedconversation_changelist"),
    SectionPage("Keys", "API keys", "admin:inference_apikey_changelist"),
    SectionPage("Keys", "Connect", "connect", ("inference.view_servedmodel", "inference.run_servedmodel")),
    SectionPage("People", "Users", "admin:auth_user_changelist"),
    SectionPage("People", "Groups", "admin:auth_group_changelist"),
    SectionPage("People", "Sign-in attempts", "admin:inference_signinattempts_changelist"),
    SectionPage("System", "Health", "admin:inference_healthcheck_changelist"),
    SectionPage("System", "Log", "admin:inference_logline_changelist"),
    SectionPage("System", "Scheduler events", "admin:inference_poolevent_changelist"),
)


def app_list(request: HttpRequest, apps: list[Any]) -> list[dict[str, Any]]:
    """Regroup Django's list of apps, which has only what this user may see, by section."""
    tables = {table["admin_url"]: table for app in apps for table in app["models"] if table["admin_url"]}
    sections: dict[str, list[dict[str, Any]]] = {name: [] for name in SECTIONS}
    for page in PAGES:
        url = reverse(page.url_name)
        if table := tables.pop(url, None):
            sections[page.section].append(table | {"name": page.title})
        elif _may_see(request.user, page):
            sections[page.section].append(_entry(page, url))
    sections[_OTHERS] += tables.values()
    _mark_current([page for pages in sections.values() for page in pages], request.path)
    return [_section(name, pages) for name, pages in sections.items() if pages]


def _mark_current(pages: list[dict[str, Any]], path: str) -> None:
    """Mark the current page, or else its nearest parent: the page whose URL is the longest prefix."""
    above = [page for page in pages if path.startswith(page["admin_url"])]
    if above:
        nearest = max(above, key=lambda page: len(page["admin_url"]))
        nearest["aria_current"] = "page" if nearest["admin_url"] == path else "true"


def _may_see(user: Any, page: SectionPage) -> bool:
    return not isinstance(user, AnonymousUser) and any(map(user.has_perm, page.permissions))


def _entry(page: SectionPage, url: str) -> dict[str, Any]:
    return {"name": page.title, "object_name": page.title, "admin_url": url, "add_url": None, "perms": {}}


def _section(name: str, pages: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": name,
        "app_label": name.lower(),
        "app_url": "",
        "has_module_perms": True,
        "sentence": SECTIONS[name],
        "models": pages,
    }
