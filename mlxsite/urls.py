"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path

from inference.openai.api import api
from inference.openai.health import health

urlpatterns = [
    path("admin/", admin.site.urls),
    path("health", health),
    path("v1/", api.urls),
    path("", include("playground.urls")),
]
