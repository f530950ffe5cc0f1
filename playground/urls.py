"""The URLs of the playground: the page, its API, and signing in and out."""

from django.contrib.auth.views import LogoutView, PasswordChangeDoneView, PasswordChangeView
from django.templatetags.static import static
from django.urls import path
from django.utils.functional import lazy
from django.views.generic import RedirectView

from playground import (
    api,
    attachments_api,
    key_pages,
    list_api,
    message_api,
    page,
    settings_api,
    transfer_api,
)
from playground.sign_in import PasswordLinkView, SignInView

urlpatterns = [
    path("", page.index, name="playground"),
    path("c/<uuid:pk>", page.index, name="playground-conversation"),
    path("chat/conversations/", list_api.list_conversations),
    path("chat/conversations/<uuid:pk>/", api.conversation),
    path("chat/conversations/<uuid:pk>/restore/", list_api.restore),
    path("chat/conversations/<uuid:pk>.<str:form>", api.export_conversation),
    path("chat/folders/", list_api.folders),
    path("chat/deleted/", list_api.deleted),
    path("chat/deleted/<uuid:pk>/", list_api.delete_for_good),
    path("s/<slug:token>", page.index, name="playground-shared"),
    path("chat/conversations/<uuid:pk>/share/", api.share),
    path("chat/shared/<slug:token>/", api.shared_conversation),
    path("chat/shared/<slug:token>/copy/", message_api.copy_shared),
    path("chat/export.<str:form>", transfer_api.export_chats),
    path("chat/import/", transfer_api.import_chats),
    path("chat/attachments/", attachments_api.add_attachment),
    path("chat/attachments/<uuid:pk>/", attachments_api.attachment),
    path("chat/attachments/<uuid:pk>/tokens/", attachments_api.count_tokens),
    path("chat/messages/<int:message>/attachments/<uuid:pk>/", attachments_api.sent_attachment),
    path("chat/shared/<slug:token>/attachments/<uuid:pk>/", attachments_api.shared_attachment),
    path("chat/uploads/", transfer_api.open_upload),
    path("chat/uploads/<uuid:pk>/", transfer_api.upload),
    path("chat/uploads/<uuid:pk>/import/", transfer_api.import_upload),
    path("chat/ask/", api.ask),
    path("chat/open-conversations/", api.open_conversations),
    path("chat/messages/<int:pk>/events/", api.follow_answer),
    path("chat/messages/<int:pk>/stop/", api.stop_answer),
    path("chat/messages/<int:pk>/answer-now/", api.answer_now),
    path("chat/messages/<int:pk>/", message_api.message),
    path("chat/messages/<int:pk>/restore/", message_api.restore_message),
    path("chat/messages/<int:pk>/continue/", message_api.continue_answer),
    path("chat/messages/<int:pk>/branch/", message_api.branch_message),
    path("chat/models/settings/", settings_api.model_settings),
    path("chat/settings/", settings_api.my_defaults),
    path("chat/favourites/", settings_api.favourites),
    path("chat/prompts/", settings_api.prompts),
    path("chat/prompts/<int:pk>/", settings_api.prompt),
    path("keys/", key_pages.keys, name="own-keys"),
    path("keys/made/<str:token>/", key_pages.made, name="own-key-made"),
    path("keys/<int:pk>/renew/", key_pages.renew, name="own-key-renew"),
    path("keys/<int:pk>/revoke/", key_pages.revoke, name="own-key-revoke"),
    path("login/", SignInView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
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
    path("password/set/<uidb64>/<token>/", PasswordLinkView.as_view(), name="password_link"),
    # Pages that name no icon of their own, such as the admin's, ask for this one.
    path("favicon.ico", RedirectView.as_view(url=lazy(static, str)("icons/favicon.svg"))),
]
