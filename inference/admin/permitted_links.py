"""Links to pages of the admin, for those alone who may open them."""

from urllib.parse import urlsplit

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import resolve

_TO_CHANGE = "renew"  # a page for those who may change what it is about


def may_open(request: HttpRequest, address: str) -> bool:
    """Whether the visitor may open this page of a table; raises Resolver404 for an address that is none."""
    app_label, model_name, act = (resolve(urlsplit(address).path).url_name or "").split("_", 2)
    pages = admin.site.get_model_admin(apps.get_model(app_label, model_name))
    if act == _TO_CHANGE:
        return bool(pages.has_change_permission(request))
    return bool(pages.has_view_permission(request))
