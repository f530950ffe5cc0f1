"""Why a model could not be fetched.

    FetchFailed
    ├── NotAnId            the given text is no OWNER/NAME
    ├── ThereAlready       the model is there
    ├── BehindLink         its folder would be written through a link
    ├── TakenAlready       another process or thread fetches it now
    ├── DiskFull           the disk has no space for it, or ran full in the middle
    ├── NotAModel          the repository holds nothing that can be served
    ├── NotPermitted       the hub wants a licence accepted, or a token
    ├── NotOnHub           there is no such repository, or no such file in it
    ├── Damaged            what came is not what the hub lists
    └── HubUnavailable     the hub cannot be reached, or breaks off again and again
        └── HubBusy        it asks to wait

Each message says what to do next. It is shown to people, so it contains no token and no signed address.
"""

from inference.core.installation import PROGRAM


class FetchFailed(Exception):
    """A model could not be fetched; the message says why and what to do next."""


class NotAnId(FetchFailed):
    def __init__(self, instead: str = "") -> None:
        super().__init__(instead or "Give the model's exact id on the hub: OWNER/NAME.")


class ThereAlready(FetchFailed):
    def __init__(self, name: str) -> None:
        super().__init__(f"{name} already exists; `{PROGRAM} remove {name}` removes it.")


class BehindLink(FetchFailed):
    def __init__(self, name: str, link: str) -> None:
        super().__init__(
            f"{link} in the models folder is a link, and nothing is written through links. Remove the link "
            f"to have {name} here, or fetch it with the program whose folder that is."
        )


class TakenAlready(FetchFailed):
    def __init__(self, name: str) -> None:
        super().__init__(f"Another download of {name} is in progress; wait until it has ended.")


class DiskFull(FetchFailed):
    """The message has the numbers."""


class NotAModel(FetchFailed):
    """No file of the repository was kept."""


class NotPermitted(FetchFailed):
    """The message says where to get permission."""


class NotOnHub(FetchFailed):
    """The hub does not know it, or hides it from callers without access."""


class Damaged(FetchFailed):
    """The wrong file is deleted, so that the next try fetches it again."""


class HubUnavailable(FetchFailed):
    """The bytes fetched so far are kept."""


class HubBusy(HubUnavailable):
    """Rate limited by the hub (Retry-After)."""
