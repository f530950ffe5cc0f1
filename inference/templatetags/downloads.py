"""{% running_downloads as running %}: the downloads that run now, for a visitor who may see them."""

from typing import Any

from django import template

from inference.admin.download_view import DownloadView
from inference.serving import runtime

register = template.Library()


@register.simple_tag(takes_context=True)
def running_downloads(context: Any) -> list[DownloadView]:
    user = getattr(context.get("request"), "user", None)
    if user is None or not user.has_perm("inference.view_download"):
        return []
    return [DownloadView.of(download) for download in runtime.downloads().running()]
