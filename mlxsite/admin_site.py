"""The admin's site: its pages stand on shelves, and signing in and out is that of the whole site."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest
from django.http.response import HttpResponse, HttpResponseBase
from django.shortcuts import redirect


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

    def app_index(
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's page of one app is not one of the site's: a shelf has tables of several."""
        return redirect("admin:index")

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        return redirect("password_change")

    def password_change_done(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        return redirect("password_change_done")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """Sign out, and show the playground as its own button does."""
        super().logout(request, extra_context)
        return redirect("playground")
