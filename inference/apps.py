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
        _feel_changes_of_keys()
        _feel_captures()
        _keep_groups(self)


def _feel_changes_of_keys() -> None:
    """A key that is revoked, or whose owner is disabled, opens nothing from that moment on.

    What it had under way ends, but not before no other request of it can begin.
    """
    from inference.accounts.key_ring import forget
    from inference.models.api_key import ApiKey
    from inference.serving.revocation import feel, part

    for sender in (ApiKey, get_user_model()):
        for receiver in (forget, feel):
            post_save.connect(receiver, sender=sender)
            post_delete.connect(receiver, sender=sender)
    post_delete.connect(part, sender=get_user_model())


def _feel_captures() -> None:
    """What is captured is captured from that moment on, and not a moment longer."""
    from inference.models.request_record import Capture
    from inference.serving.recording.capture_switch import feel

    post_save.connect(feel, sender=Capture)
    post_delete.connect(feel, sender=Capture)


def _keep_groups(config: AppConfig) -> None:
    """A site has its groups from the start, and joining them takes effect at once."""
    from django.contrib.auth.models import Group

    from inference.accounts import groups

    users = get_user_model()
    post_migrate.connect(groups.make, sender=config)
    post_save.connect(groups.welcome, sender=users)
    m2m_changed.connect(groups.admit, sender=users.groups.through)
    pre_delete.connect(groups.close, sender=Group)
