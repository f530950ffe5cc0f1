"""The admin site: inference/admin/navigation.py groups its pages, and users sign in at the playground."""

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
    """Django's, with the pages of inference/admin/navigation.py."""

    site_header = site_title = "mlxsite"
    index_title = "Admin"

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
