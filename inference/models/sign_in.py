"""Failed and successful sign-ins, for the throttle: neither names nor passwords as they were typed."""

from django.db import models


class SignInAttempts(models.Model):
    """The attempts to sign in to one account from one address."""

    account = models.CharField(max_length=64, editable=False)  # a keyed digest: a name may be a password
    address = models.CharField(max_length=64, editable=False, blank=True)  # empty for this machine
    failures = models.PositiveIntegerField("failed attempts", default=0, editable=False)
    failed_at = models.DateTimeField("last failure", null=True, editable=False)
    succeeded_at = models.DateTimeField("last success", null=True, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "address"], name="one_row_for_a_sign_in")]
        verbose_name = verbose_name_plural = "sign-in attempts"
        ordering = ["-failed_at"]

    def __str__(self) -> str:
        return f"{self.failures} failed attempts from {self.place}"

    @property
    def place(self) -> str:
        return self.address or "this machine"
