"""The admin's downloads page: start, watch file by file, cancel, resume and discard."""

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.cache import add_never_cache_headers

from inference.accounts import audit_log
from inference.admin import arrived_model, discover_page, gguf_page
from inference.admin.download_view import DownloadView
from inference.models import Download
from inference.repository.downloads.active_download import ActiveDownload, DownloadState
from inference.repository.downloads.errors import FetchFailed
from inference.serving import runtime
from inference.serving.discovery.hub_questions import id_of

if TYPE_CHECKING:
    DownloadAdminBase = admin.ModelAdmin[Download]
else:
    DownloadAdminBase = admin.ModelAdmin  # not generic at run time

_LONGEST_QUERY = 1000  # of the page Discover
_LONGEST = 300  # an id has at most 193 characters; a URL has more, and gets an explanation


@admin.register(Download)
class DownloadAdmin(DownloadAdminBase):
    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.changelist_view)
        progress = self.admin_site.admin_view(self.progress)
        discover = self.admin_site.admin_view(partial(discover_page.show, self))
        verdict = self.admin_site.admin_view(partial(discover_page.verdict, self))
        gguf = self.admin_site.admin_view(partial(gguf_page.show, self))
        imports = self.admin_site.admin_view(partial(gguf_page.progress, self))
        return [
            path("", page, name="inference_download_changelist"),
            path("progress/", progress, name="inference_download_progress"),
            path("discover/", discover, name="inference_download_discover"),
            path("discover/verdict/", verdict, name="inference_download_verdict"),
            path("gguf/", gguf, name="inference_download_gguf"),
            path("gguf/progress/", imports, name="inference_download_gguf_progress"),
        ]

    def has_change_permission(self, request: HttpRequest, obj: Download | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Download | None = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "POST":
            return self._act(request)
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = self.admin_site.each_context(request) | {
            "title": "Downloads",
            "opts": self.opts,
            "downloads": _views(),
            "typed": request.GET.get("id", "")[:_LONGEST],
            "longest": _LONGEST,
            "may_add": self.has_add_permission(request),
        }
        response = TemplateResponse(request, "admin/inference/downloads.html", context)
        add_never_cache_headers(response)
        return response

    def progress(self, request: HttpRequest) -> HttpResponse:
        """The downloads as JSON, for the page's script."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        response = JsonResponse({"downloads": [asdict(view) for view in _views()]})
        add_never_cache_headers(response)
        return response

    def _act(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        name = id_of(request.POST.get("id", "").strip())
        page = "admin:inference_download_changelist"
        register = runtime.downloads()
        actions = {
            "start": (register.start, "Started the download."),
            "cancel": (register.cancel, "Cancelled the download."),
            "discard": (register.discard, "Discarded the partial download."),
            "dismiss": (register.discard, "Dismissed the failed download."),
        }
        query = ""
        if "discover" in request.POST:  # the query of the page that it came from
            page, query = "admin:inference_download_discover", f"?{request.POST['discover'][:_LONGEST_QUERY]}"
        action, done = actions.get(request.POST.get("act", ""), (None, ""))
        try:
            if action and action(name):
                audit_log.write(request.user, Download, name, done)
        except FetchFailed as error:
            self.message_user(request, str(error), messages.ERROR)
            if request.POST["act"] == "start" and not query:  # keep the id in the field, to be corrected
                query = f"?{urlencode({'id': name[:_LONGEST]})}"
        return HttpResponseRedirect(reverse(page) + query)


def _views() -> list[DownloadView]:
    return [DownloadView.of(one, _kind(one)) for one in runtime.downloads().all()]


def _kind(one: ActiveDownload) -> str:
    return arrived_model.kind_of(one.id) if one.state is DownloadState.DONE else ""
