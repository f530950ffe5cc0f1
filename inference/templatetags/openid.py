"""{% openid_provider as provider %}: what people call the OpenID provider; empty where there is none."""

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def openid_provider() -> str:
    name: str = settings.CONFIG.oidc_label
    return name
