"""The URLs of the site."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from inference.admin.connect_page import connect_page
from inference.admin.dashboard.views import stop
from inference.api.ollama.api import urls as ollama_urls
from inference.api.openai.api import api
from inference.api.openai.openapi_document import openapi
from inference.api.operator.api import api as control
from inference.api.operator.health import health, ready
from inference.api.operator.metrics import metrics
from inference.api.vllm.api import api as vllm

urlpatterns = [
    path("admin/connect/", admin.site.admin_view(connect_page), name="connect"),
    path("admin/stop-request/", admin.site.admin_view(stop), name="stop-request"),
    path("admin/", admin.site.urls),
    path("health", health),
    path("ready", ready),
    path("metrics", metrics),
    path("api/", control.urls),
    path("v1/openapi.json", openapi),
    path("v1/", api.urls),
    *ollama_urls(settings.CONFIG.ollama),
    *([path("", include("playground.openid_urls"))] if settings.CONFIG.oidc_issuer else []),
    path("", include("playground.urls")),
    path("", vllm.urls),  # last: it is at the root
]
