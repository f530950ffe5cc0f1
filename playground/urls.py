"""The site's front door: the page, its answers, and how one signs in and out."""

from django.contrib.auth.views import LoginView, LogoutView
from django.templatetags.static import static
from django.urls import path
from django.utils.functional import lazy
from django.views.generic import RedirectView

from playground import views

urlpatterns = [
    path("", views.index, name="playground"),
    path("chat/", views.chat, name="playground-chat"),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(next_page="playground"), name="logout"),
    # Pages that name no icon of their own, such as the admin's, ask for this one.
    path("favicon.ico", RedirectView.as_view(url=lazy(static, str)("icons/favicon.svg"))),
]
