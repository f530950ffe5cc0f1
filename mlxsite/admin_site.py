"""The admin's site: its pages stand on shelves, and signing in and out is that of the whole site."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest
from django.urls import path
from django.views.generic import RedirectView


class ConsoleConfig(AdminConfig):
    """Django's admin, with the site below in the place of its own."""

    default_site = "mlxsite.admin_site.ConsoleSite"


class ConsoleSite(AdminSite):
    """Django's, with the pages of inference/admin/shelves.py."""

    site_header = site_title = "mlxsite"
    index_title = "Admin"

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        from inference.admin import shelves  # it brings the pages, which register at this site

        return shelves.app_list(request, super().get_app_list(request))

    def get_urls(self) -> list[Any]:
        """Django's, behind redirects to the pages that the whole site has for the same."""
        ours = [
            path("password_change/", RedirectView.as_view(pattern_name="password_change")),
            path("password_change/done/", RedirectView.as_view(pattern_name="password_change_done")),
            # A shelf has tables of several apps, so the page of one app would show none of them whole.
            *(
                path(f"{app}/", RedirectView.as_view(pattern_name="admin:index"))
                for app in ("auth", "inference")
            ),
        ]
        return [*ours, *super().get_urls()]
