"""{% breadcrumbs %}: the path from the admin's index to the current page."""

from typing import Any

from django import template
from django.urls import reverse
from django.utils.text import capfirst

register = template.Library()

_PAGES = {"history": "History", "delete": "Delete", "add": "Add", "password_change": "Password"}


@register.inclusion_tag("admin/breadcrumbs.html", takes_context=True)
def breadcrumbs(context: Any) -> dict[str, Any]:
    """Return the crumbs as pairs of text and URL, and the title of the current page."""
    crumbs = [("Admin", reverse("admin:index")), *_table(context), *_page(context)]
    return {"crumbs": crumbs[:-1], "here": crumbs[-1][0]}


def _table(context: Any) -> list[tuple[str, str]]:
    opts = context.get("opts")
    if not opts:
        return []
    name = f"admin:{opts.app_label}_{opts.model_name}"
    crumbs = [(str(capfirst(opts.verbose_name_plural)), reverse(f"{name}_changelist"))]
    row = context.get("original") or context.get("object")
    if row and row.pk:
        crumbs.append((str(row), reverse(f"{name}_change", args=[row.pk])))
    return crumbs


def _page(context: Any) -> list[tuple[str, str]]:
    """Return the last crumb: the one that the view names, or that of one of Django's own pages."""
    match = context["request"].resolver_match
    name = match.url_name or "" if match else ""
    known = next((text for end, text in _PAGES.items() if name.endswith(f"_{end}")), "")
    crumb = context.get("crumb") or known or ("" if context.get("opts") else context.get("title"))
    return [(str(crumb), "")] if crumb else []
