"""The Django app: it registers checks and signal receivers, and starts nothing."""

from django.apps import AppConfig
from django.contrib.auth import get_user_model
from django.core import checks
from django.db.models.signals import m2m_changed, post_delete, post_migrate, post_save, pre_delete


class InferenceConfig(AppConfig):
    name = "inference"
    verbose_name = "Models"

    def ready(self) -> None:
        from inference.checks import (
            check_blas,
            check_exposure,
            check_key,
            check_names,
            check_privacy,
            check_proxy,
            check_sign_up,
        )

        of_settings = (check_exposure, check_key, check_names, check_proxy, check_sign_up)
        for check in (check_blas, check_privacy, *of_settings):
            checks.register(check)
        _connect_revocation()
        _connect_limits()
        _connect_capture_switch()
        _connect_groups(self)
        _listen_to_fronts()


def _connect_revocation() -> None:
    """End the access of a key at once when it is revoked or its owner is disabled.

    First the key ring forgets the key, so that no further request is accepted; then its running requests end.
    """
    from inference.accounts.key_ring import forget
    from inference.models.api_key import ApiKey
    from inference.serving.revocation import on_change, on_delete

    for sender in (ApiKey, get_user_model()):
        for receiver in (forget, on_change):
            post_save.connect(receiver, sender=sender)
            post_delete.connect(receiver, sender=sender)
    post_delete.connect(on_delete, sender=get_user_model())


def _connect_limits() -> None:
    """Apply the limits of accounts and groups as soon as they are saved."""
    from inference.accounts.account_limits import forget
    from inference.models.usage_limits import AccountLimits, GroupLimits

    for sender in (AccountLimits, GroupLimits):
        post_save.connect(forget, sender=sender)
        post_delete.connect(forget, sender=sender)


def _connect_capture_switch() -> None:
    """Start and end a capture as soon as its row is saved or deleted."""
    from inference.models.request_record import Capture
    from inference.serving.recording.capture_switch import on_change

    post_save.connect(on_change, sender=Capture)
    post_delete.connect(on_change, sender=Capture)


def _connect_groups(config: AppConfig) -> None:
    """Create the groups with the database, and apply a change of membership at once."""
    from django.contrib.auth.models import Group

    from inference.accounts import groups

    users = get_user_model()
    post_migrate.connect(groups.create_groups, sender=config)
    post_save.connect(groups.add_to_members, sender=users)
    m2m_changed.connect(groups.sync_staff, sender=users.groups.through)
    pre_delete.connect(groups.on_group_delete, sender=Group)


def _listen_to_fronts() -> None:
    """Apply at once what other fronts of this site have saved."""
    from inference.accounts import account_limits
    from inference.serving import revocation
    from inference.serving.recording import capture_switch

    for module in (account_limits, revocation, capture_switch):
        module.listen()
