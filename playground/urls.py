"""The URLs of the playground: the page, its API, and signing in and out."""

from django.contrib.auth.views import LoginView, LogoutView, PasswordChangeDoneView, PasswordChangeView
from django.templatetags.static import static
from django.urls import path
from django.utils.functional import lazy
from django.views.generic import RedirectView

from playground import api, message_api, page

urlpatterns = [
    path("", page.index, name="playground"),
    path("c/<uuid:pk>", page.index, name="playground-conversation"),
    path("chat/conversations/", api.list_conversations),
    path("chat/conversations/<uuid:pk>/", api.conversation),
    path("chat/conversations/<uuid:pk>/restore/", api.restore),
    path("chat/conversations/<uuid:pk>.<str:form>", api.export_conversation),
    path("s/<slug:token>", page.index, name="playground-shared"),
    path("chat/conversations/<uuid:pk>/share/", api.share),
    path("chat/shared/<slug:token>/", api.shared_conversation),
    path("chat/import/", api.import_conversation),
    path("chat/ask/", api.ask),
    path("chat/open-conversations/", api.open_conversations),
    path("chat/messages/<int:pk>/events/", api.follow_answer),
    path("chat/messages/<int:pk>/stop/", api.stop_answer),
    path("chat/messages/<int:pk>/answer-now/", api.answer_now),
    path("chat/messages/<int:pk>/", message_api.message),
    path("chat/messages/<int:pk>/restore/", message_api.restore_message),
    path("chat/messages/<int:pk>/continue/", message_api.continue_answer),
    path("chat/messages/<int:pk>/branch/", message_api.branch_message),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(next_page="playground"), name="logout"),
    # Templates with names of our own: under Django's default names it would find the admin's pages.
    path(
        "password/",
        PasswordChangeView.as_view(template_name="registration/password.html"),
        name="password_change",
    ),
    path(
        "password/changed/",
        PasswordChangeDoneView.as_view(template_name="registration/password_changed.html"),
        name="password_change_done",
    ),
    # Pages that name no icon of their own, such as the admin's, ask for this one.
    path("favicon.ico", RedirectView.as_view(url=lazy(static, str)("icons/favicon.svg"))),
]
