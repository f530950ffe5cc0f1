"""The admin's pages of quantisations: a form for one model, and those in progress."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from django.http.response import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.cache import add_never_cache_headers

from inference.accounts import audit_log
from inference.admin.quantisation_form import QuantisationForm
from inference.admin.quantisation_view import QuantisationView
from inference.core.model_card import ModelCard
from inference.core.units import in_gb_or_mb
from inference.models import Quantisation, ServedModel
from inference.repository.conversions.refusal import ConversionRefused
from inference.repository.quantising.plan import check_source, is_full_precision
from inference.serving import quantising, runtime

if TYPE_CHECKING:
    QuantisationAdminBase = admin.ModelAdmin[Quantisation]
else:
    QuantisationAdminBase = admin.ModelAdmin  # not generic at run time

_LIST = "admin:inference_quantisation_changelist"


def form_url(request: HttpRequest, model: ServedModel | None) -> str:
    """The page that quantises this model; empty where it cannot be, or this user may not."""
    card = runtime.catalog().exact(model.name) if model else None
    can = card and card.is_servable and card.kind == "chat" and is_full_precision(card)
    if not (model and can and request.user.has_perm("inference.add_download")):
        return ""
    return reverse("admin:inference_quantisation_form", args=[model.pk])


@admin.register(Quantisation)
class QuantisationAdmin(QuantisationAdminBase):
    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("", wrap(self.changelist_view), name="inference_quantisation_changelist"),
            path("progress/", wrap(self.progress), name="inference_quantisation_progress"),
            path("model/<int:pk>/", wrap(self.form_page), name="inference_quantisation_form"),
        ]

    # Whoever may download models may make them; a quantised one is one more in the models folder.
    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Quantisation | None = None) -> bool:
        rights = ("inference.view_download", "inference.add_download")
        return any(request.user.has_perm(right) for right in rights)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("inference.add_download")

    def has_change_permission(self, request: HttpRequest, obj: Quantisation | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Quantisation | None = None) -> bool:
        return False

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        # Without "add": the index would link to an empty form, and each form is that of a model.
        return {"add": False, "view": self.has_view_permission(request), "change": False, "delete": False}

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "POST":
            return self._act(request)
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            "title": "Quantisations",
            "quantisations": _views(),
            "may_add": self.has_add_permission(request),
            "may_run": request.user.has_perm("inference.run_servedmodel"),
        }
        return self._page(request, "admin/inference/quantisations.html", context)

    def progress(self, request: HttpRequest) -> HttpResponse:
        """The quantisations as JSON, for the page's script."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        response = JsonResponse({"downloads": [asdict(view) for view in _views()]})
        add_never_cache_headers(response)
        return response

    def form_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The form for one model; a good one starts it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        model = ServedModel.objects.filter(pk=pk).first()
        card = runtime.catalog().exact(model.name) if model else None
        if model is None or card is None:
            raise Http404
        try:
            check_source(card)
            form = QuantisationForm(card, request.POST if request.method == "POST" else None)
        except ConversionRefused as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(reverse("admin:inference_servedmodel_change", args=[pk]))
        if form.is_bound and form.is_valid() and self._start(request, card, form):
            return HttpResponseRedirect(reverse(_LIST))
        context = {
            "title": f"Quantise {card.id}",
            "form": form,
            "card": card,
            "model": model,
            "size": in_gb_or_mb(card.weight_bytes),
            "dequantises": runtime.dequantises(),
        }
        return self._page(request, "admin/inference/quantise.html", context)

    def _start(self, request: HttpRequest, card: ModelCard, form: QuantisationForm) -> bool:
        wanted = form.cleaned_data
        try:
            planned = quantising.plan(
                card.id, form.settings, name=wanted["name"], measures=wanted["measures"]
            )
            quantising.start(planned)
        except ConversionRefused as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
            return False
        name = planned.job.name
        audit_log.write(request.user, Quantisation, name, f"Started to quantise {card.id}.")
        self.message_user(request, f"Quantising {card.id} as {name}.", messages.SUCCESS)
        return True

    def _act(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        name, register = request.POST.get("id", ""), quantising.register()
        if request.POST.get("act") == "cancel" and register.cancel(name):
            audit_log.write(request.user, Quantisation, name, "Cancelled the quantisation.")
        elif request.POST.get("act") == "dismiss":
            register.dismiss(name)
        return HttpResponseRedirect(reverse(_LIST))

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        whole = self.admin_site.each_context(request) | {"opts": self.opts} | context
        response = TemplateResponse(request, template, whole)
        add_never_cache_headers(response)
        return response


def _views() -> list[QuantisationView]:
    return [QuantisationView.of(one) for one in quantising.register().all()]
