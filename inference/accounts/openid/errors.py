"""Why a sign-in by OpenID Connect ended."""


class ProviderUnavailable(Exception):
    """The provider cannot be reached, or what it says is no OpenID Connect; attribute `reason`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SignInRefused(Exception):
    """What the provider sent proves nobody's identity; attribute `reason`, for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotAdmitted(SignInRefused):
    """The provider knows the person, and this site does not let them in."""
