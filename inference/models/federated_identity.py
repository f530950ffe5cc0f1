"""The people of an OpenID provider who have accounts here."""

from django.conf import settings
from django.db import models


class FederatedIdentity(models.Model):
    """A person of a provider, whose sign-ins there are sign-ins to one account here.

    Issuer and subject together never change and are never given to somebody else (OpenID Connect Core,
    section 2); e-mail addresses and names may be both.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="federated_identities",
        verbose_name="account",
    )
    issuer = models.CharField(
        max_length=255, help_text="The provider's address, as in MLX_SERVER_OIDC_ISSUER."
    )
    subject = models.CharField(
        max_length=255,
        help_text="The user's `sub` at the provider; after a failed sign-in, the log has it.",
    )
    added_at = models.DateTimeField("added", auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="one_account_for_an_identity")
        ]
        default_permissions = ()
        verbose_name = "sign-in by OpenID Connect"
        verbose_name_plural = "sign-ins by OpenID Connect"
        ordering = ["issuer", "subject"]

    def __str__(self) -> str:
        return f"{self.subject} of {self.issuer}"
