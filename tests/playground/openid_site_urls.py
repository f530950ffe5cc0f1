"""The site's URLs as they are where an OpenID provider is set."""

from django.urls import include, path

from mlxsite.urls import urlpatterns as of_site

urlpatterns = [path("", include("playground.openid_urls")), *of_site]
