"""The URLs for signing in and out by OpenID Connect, before the playground's, whose sign-out they replace."""

from django.urls import path

from inference.accounts.openid.library_settings import CALLBACK, SIGN_IN
from playground.openid import OpenIDCallbackView, OpenIDSignInView, OpenIDSignOutView

urlpatterns = [
    path("login/openid/", OpenIDSignInView.as_view(), name=SIGN_IN),
    path("login/openid/callback/", OpenIDCallbackView.as_view(), name=CALLBACK),
    path("logout/", OpenIDSignOutView.as_view(), name="logout"),
]
