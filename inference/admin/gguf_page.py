"""The admin's page of GGUF files: those of the server's folder, uploads into it, and imports."""

from dataclasses import asdict, dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import add_never_cache_headers

from inference.accounts import audit_log
from inference.admin import arrived_model
from inference.admin.conversion_view import ConversionView, shared_facts
from inference.core import disk_space
from inference.core.gguf_import import MOST_BYTES
from inference.core.units import in_gb_or_mb
from inference.models import Download
from inference.repository.conversions.active_conversion import ConversionState
from inference.repository.conversions.refusal import ConversionRefused
from inference.repository.importing.gguf_folder import GgufFile
from inference.repository.importing.plan import default_name
from inference.repository.importing.register import ActiveImport
from inference.repository.importing.uploads import ModelUpload, UploadRefused
from inference.serving import gguf_imports

_PAGE = "admin:inference_download_gguf"
_LONGEST_NAME = 193


@dataclass(frozen=True, kw_only=True)
class ImportView(ConversionView):
    """One import."""

    kind: str  # of a model that is here: "chat" for those that make text

    @classmethod
    def of(cls, one: ActiveImport) -> "ImportView":
        return cls(kind=_kind(one), **shared_facts(one, running="Importing", text=_text(one)))


@dataclass(frozen=True, kw_only=True)
class GgufFileView:
    """One file of the folder."""

    name: str
    facts: tuple[str, ...]
    problem: str
    can_import: bool
    model: str  # the name that the model gets unless another is typed

    @classmethod
    def of(cls, file: GgufFile) -> "GgufFileView":
        facts = (in_gb_or_mb(file.bytes), file.architecture, file.quantization)
        return cls(
            name=file.name,
            facts=tuple(fact for fact in facts if fact),
            problem=file.problem,
            can_import=not file.problem or not file.is_read,
            model=default_name(file.name),
        )


@dataclass(frozen=True, kw_only=True)
class UploadView:
    """A file that has arrived in part."""

    name: str
    amount: str
    percent: int

    @classmethod
    def of(cls, upload: ModelUpload) -> "UploadView":
        amount = f"{in_gb_or_mb(upload.received)} of {in_gb_or_mb(upload.size)}"
        return cls(name=upload.name, amount=amount, percent=100 * upload.received // upload.size)


def show(model_admin: "admin.ModelAdmin[Download]", request: HttpRequest) -> HttpResponse:
    """The page; raises PermissionDenied for those who may not view downloads."""
    if request.method == "POST":
        return _act(model_admin, request)
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    folder = gguf_imports.folder()
    room = max(0, disk_space.free(folder.path) - disk_space.SPARE_BYTES)
    context: dict[str, Any] = model_admin.admin_site.each_context(request) | {
        "title": "GGUF files",
        "crumb": "GGUF files",
        "opts": model_admin.opts,
        "imports": _views(),
        "files": [GgufFileView.of(file) for file in folder.files()],
        "uploads": [UploadView.of(upload) for upload in gguf_imports.uploads().all()],
        "folder": folder.path,
        "is_there": folder.path.is_dir(),
        "part_bytes": gguf_imports.part_bytes(),
        "largest": in_gb_or_mb(min(MOST_BYTES, room)),
        "longest": _LONGEST_NAME,
        "may_add": model_admin.has_add_permission(request),
        "may_delete": model_admin.has_add_permission(request) and _may_delete(request),
    }
    response = TemplateResponse(request, "admin/inference/gguf.html", context)
    add_never_cache_headers(response)
    return response


def progress(model_admin: "admin.ModelAdmin[Download]", request: HttpRequest) -> HttpResponse:
    """The imports as JSON, for the page's script; raises PermissionDenied."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    response = JsonResponse({"downloads": [asdict(view) for view in _views()]})
    add_never_cache_headers(response)
    return response


def _act(model_admin: "admin.ModelAdmin[Download]", request: HttpRequest) -> HttpResponse:
    if not model_admin.has_add_permission(request):
        raise PermissionDenied
    act, name = request.POST.get("act", ""), request.POST.get("id", "")
    try:
        if act == "import":
            _start(request, name)
        elif act == "cancel" and gguf_imports.register().cancel(name):
            audit_log.write(request.user, Download, name, "Cancelled the import.")
        elif act == "dismiss":
            gguf_imports.register().dismiss(name)
        elif act == "delete":
            _delete(request, name)
        elif act == "discard" and gguf_imports.uploads().discard(name):
            audit_log.write(request.user, Download, name, "Discarded the upload.")
    except (ConversionRefused, UploadRefused) as error:
        model_admin.message_user(request, str(error), messages.ERROR)
    return HttpResponseRedirect(reverse(_PAGE))


def _start(request: HttpRequest, file: str) -> None:
    begun = gguf_imports.start(file, name=request.POST.get("name", "").strip())
    audit_log.write(request.user, Download, begun.name, f"Started to import {file[:200]}.")


def _delete(request: HttpRequest, file: str) -> None:
    """Delete a file of the folder; raises PermissionDenied for those who may not delete files of models."""
    if not _may_delete(request):
        raise PermissionDenied
    gguf_imports.remove(file)
    audit_log.write(request.user, Download, file, "Deleted the file.")


def _may_delete(request: HttpRequest) -> bool:
    return request.user.has_perm("inference.remove_servedmodel")


def _views() -> list[ImportView]:
    return [ImportView.of(one) for one in gguf_imports.register().all()]


def _text(one: ActiveImport) -> str:
    if one.state is ConversionState.RUNNING and one.plan:
        starting = "" if one.progress.steps else " Reading its header…"
        return f"From {one.plan.job.source}, {in_gb_or_mb(one.plan.bytes)}.{starting}"
    return one.message


def _kind(one: ActiveImport) -> str:
    return arrived_model.kind_of(one.name) if one.state is ConversionState.DONE else ""
