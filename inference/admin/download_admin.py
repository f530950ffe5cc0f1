"""The admin's downloads page: start, watch file by file, cancel, resume and discard."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.cache import add_never_cache_headers

from inference.admin import audit_log
from inference.models import Download
from inference.repository.downloads.active_download import ActiveDownload, State
from inference.repository.downloads.errors import FetchFailed
from inference.serving import runtime

if TYPE_CHECKING:
    DownloadAdminBase = admin.ModelAdmin[Download]
else:
    DownloadAdminBase = admin.ModelAdmin  # not generic at run time

_HEADINGS = {
    State.RUNNING: "Downloading",
    State.DONE: "Done",
    State.FAILED: "Failed",
    State.CANCELLED: "Cancelled",
    State.INTERRUPTED: "Interrupted",
    State.ELSEWHERE: "Running in another process",
    State.LEFT: "Incomplete",
}
_LONGEST = 300  # an id has at most 193 characters; a URL has more, and gets an explanation
_RESUMABLE = {State.FAILED, State.CANCELLED, State.INTERRUPTED}


@dataclass(frozen=True)
class FileView:
    """One file's row: its name, its progress as text, and as a bar."""

    name: str
    amount: str
    percent: int


@dataclass(frozen=True, kw_only=True)
class DownloadView:
    """One download as the page shows it; the page's script polls it as JSON with these keys."""

    id: str
    state: str
    heading: str
    text: str
    percent: int
    can_cancel: bool
    can_resume: bool
    can_discard: bool
    files: tuple[FileView, ...]

    @classmethod
    def of(cls, download: ActiveDownload) -> "DownloadView":
        progress = download.progress
        return cls(
            id=download.id,
            state=download.state,
            heading=_HEADINGS[download.state],
            text=_progress_text(download) if download.is_running else download.message,
            percent=_percent(progress.done, progress.size),
            can_cancel=download.is_running,
            can_resume=download.state in _RESUMABLE,
            can_discard=download.state in _RESUMABLE | {State.LEFT},
            files=tuple(
                FileView(file.name, _share(file.done, file.size), _percent(file.done, file.size))
                for file in progress.files
            ),
        )


@admin.register(Download)
class DownloadAdmin(DownloadAdminBase):
    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.changelist_view)
        progress = self.admin_site.admin_view(self.progress)
        return [
            path("", page, name="inference_download_changelist"),
            path("progress/", progress, name="inference_download_progress"),
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
        name = request.POST.get("id", "").strip()
        register = runtime.downloads()
        actions = {
            "start": (register.start, "Started the download."),
            "cancel": (register.cancel, "Cancelled the download."),
            "discard": (register.discard, "Discarded the partial download."),
        }
        query = ""
        action, done = actions.get(request.POST.get("act", ""), (None, ""))
        try:
            if action:
                action(name)
                audit_log.write(request, Download, name, done)
        except FetchFailed as error:
            self.message_user(request, str(error), messages.ERROR)
            if request.POST["act"] == "start":  # keep the id in the field, to be corrected
                query = f"?{urlencode({'id': name[:_LONGEST]})}"
        return HttpResponseRedirect(reverse("admin:inference_download_changelist") + query)


def _views() -> list[DownloadView]:
    return [DownloadView.of(download) for download in runtime.downloads().all()]


def _progress_text(download: ActiveDownload) -> str:
    progress = download.progress
    if not progress.files:
        return "Asking the hub…"
    if progress.note:
        return f"{_share(progress.done, progress.size)}. {progress.note}"
    speed = progress.bytes_per_s
    if not speed:
        return _share(progress.done, progress.size)
    left = _duration((progress.size - progress.done) / speed)
    return f"{_share(progress.done, progress.size)} at {_amount(speed)}/s, about {left} left"


def _percent(done: int, size: int) -> int:
    return 100 * done // size if size else 0


def _share(done: int, size: int) -> str:
    return _amount(size) if done == size else f"{_amount(done)} of {_amount(size)}"


def _amount(count: float) -> str:
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count:.0f} B"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
