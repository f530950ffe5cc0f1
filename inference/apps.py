"""The app's place in Django: it registers checks and starts nothing."""

from django.apps import AppConfig
from django.contrib.auth import get_user_model
from django.core import checks
from django.db.models.signals import m2m_changed, post_delete, post_migrate, post_save, pre_delete


class InferenceConfig(AppConfig):
    name = "inference"
    verbose_name = "Models"

    def ready(self) -> None:
        from inference.checks import check_blas, check_exposure, check_key, check_names, check_privacy

        for check in (check_blas, check_exposure, check_key, check_names, check_privacy):
            checks.register(check)
        _follow_keys_and_accounts()
        _follow_captures()
        _keep_groups(self)


def _follow_keys_and_accounts() -> None:
    """A key that is revoked, or whose owner is disabled, is refused at once.

    Its requests in progress are cancelled, after it can start no new ones.
    """
    from inference.accounts.key_ring import forget
    from inference.models.api_key import ApiKey
    from inference.serving.revocation import on_change, on_delete

    for sender in (ApiKey, get_user_model()):
        for receiver in (forget, on_change):
            post_save.connect(receiver, sender=sender)
            post_delete.connect(receiver, sender=sender)
    post_delete.connect(on_delete, sender=get_user_model())


def _follow_captures() -> None:
    """Apply the start and the end of a capture at once."""
    from inference.models.request_record import Capture
    from inference.serving.recording.capture_switch import on_change

    post_save.connect(on_change, sender=Capture)
    post_delete.connect(on_change, sender=Capture)


def _keep_groups(config: AppConfig) -> None:
    """A site has its groups from the start, and joining them takes effect at once."""
    from django.contrib.auth.models import Group

    from inference.accounts import groups

    users = get_user_model()
    post_migrate.connect(groups.create_groups, sender=config)
    post_save.connect(groups.add_to_members, sender=users)
    m2m_changed.connect(groups.sync_staff, sender=users.groups.through)
    pre_delete.connect(groups.on_group_delete, sender=Group)
