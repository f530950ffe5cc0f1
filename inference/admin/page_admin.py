"""An admin page that only shows something, in the place of a table's list of rows."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.cache import add_never_cache_headers

if TYPE_CHECKING:
    PageAdminBase = admin.ModelAdmin[Any]
else:
    PageAdminBase = admin.ModelAdmin  # not generic at run time


class PageAdmin(PageAdminBase):
    """Nobody adds, changes or deletes here. The model gives the page its address and its permission to view.

    A subclass answers in `changelist_view` with `page`.
    """

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_changelist"
        return [path("", self.admin_site.admin_view(self.changelist_view), name=name)]

    def page(self, request: HttpRequest, template: str, title: str, shown: dict[str, Any]) -> HttpResponse:
        """The page, which is not cached; raises PermissionDenied for users who may not see it."""
        self.check_may_view(request)
        site = self.admin_site.each_context(request) | {"title": title, "opts": self.opts}
        response = TemplateResponse(request, template, site | shown)
        add_never_cache_headers(response)
        return response

    def check_may_view(self, request: HttpRequest) -> None:
        """Raise PermissionDenied for users who may not see the page."""
        if not self.has_view_permission(request):
            raise PermissionDenied

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
