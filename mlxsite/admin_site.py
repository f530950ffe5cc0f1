"""The admin site: inference/admin/navigation.py groups its pages, and users sign in at the playground."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.db import DataError
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.urls import path
from django.views.generic import RedirectView


class ConsoleConfig(AdminConfig):
    """Django's admin, with the site below in the place of its own."""

    default_site = "mlxsite.admin_site.ConsoleSite"


class ConsoleSite(AdminSite):
    """Django's, with the pages of inference/admin/navigation.py."""

    site_header = site_title = "mlxsite"
    index_title = "Admin"

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Django's, in which a number that no row can have leads to a page that does not exist."""
        return super().admin_view(_within_range(view), cacheable)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        from inference.admin import navigation  # importing the package registers the pages

        return navigation.app_list(request, super().get_app_list(request))

    def get_urls(self) -> list[Any]:
        """Django's, behind redirects to the pages that the whole site has for the same."""
        ours = [
            path("password_change/", RedirectView.as_view(pattern_name="password_change")),
            path("password_change/done/", RedirectView.as_view(pattern_name="password_change_done")),
            # A section has tables of several apps, so a page of one app would show only parts of them.
            *(
                path(f"{app}/", RedirectView.as_view(pattern_name="admin:index"))
                for app in ("auth", "inference")
            ),
        ]
        return [*ours, *super().get_urls()]


def _within_range(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A view that raises Http404 for numbers that are out of the database's range.

    Forms, filters and actions look for rows with the numbers that a request has, and Django checks the range
    of some lookups only. The page is rendered here, because some rows are only looked for then.
    """

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
        try:
            response = view(request, *args, **options)
            return response.render() if isinstance(response, SimpleTemplateResponse) else response
        except (OverflowError, DataError) as error:  # of SQLite and of PostgreSQL
            raise Http404("No row can have this number.") from error

    return checked
