"""What has to be there before a request's prompt can be prepared: its adapter, and its pictures."""

from collections.abc import Callable
from functools import partial

from inference.core.errors import ModelLoadFailed, ServerError, UnsupportedField
from inference.core.picture_header import UNREADABLE
from inference.core.protocol import Submit
from inference.core.requests import ChatRequest, Lora, Picture, TokenizeRequest
from inference.worker.lora_loader import LoraLoader
from inference.worker.vision.picture_threads import PictureThreads
from inference.worker.vision.seen import SeenPictures, VisionFamily

Met = SeenPictures
Then = Callable[[Met | ServerError], None]


class Prerequisites:
    """Fetches what requests need, on threads of its own.

    `family` is what the model sees with; None: `blindness` says why it sees nothing.
    """

    def __init__(
        self, model_id: str, loras: LoraLoader, family: VisionFamily | None, blindness: str = ""
    ) -> None:
        self._model_id = model_id
        self._loras = loras
        self._threads = PictureThreads(family) if family else None
        self._blindness = blindness

    def of(self, submit: Submit, then: Then) -> Met | None:
        """What a request needs; None if it has to be fetched, and `then` is called on another thread.

        Raises UnsupportedField for pictures that this model does not see.
        """
        pictures = _pictures_of(submit)
        if pictures and not self._threads:
            raise UnsupportedField(
                f"{UNREADABLE}: "
                + (self._blindness or "This model reads text only; describe the picture in text."),
                param=pictures[0][0],
            )
        lora = getattr(submit.request, "lora", None)
        if lora and not self._loras.is_ready(lora, partial(self._on_lora, lora, submit, then)):
            return None
        return self._seen(pictures, then)

    def _on_lora(self, lora: Lora, submit: Submit, then: Then, problem: str) -> None:
        if problem:
            text = f"The adapter {lora.name!r} of {self._model_id!r} cannot be used: {problem}"
            then(ModelLoadFailed(text, param="model"))
            return
        met = self._seen(_pictures_of(submit), then)
        if met is not None:
            then(met)

    def _seen(self, pictures: list[tuple[str, Picture]], then: Then) -> Met | None:
        if not (pictures and self._threads):
            return ()
        self._threads.see(pictures, then)
        return None


def _pictures_of(submit: Submit) -> list[tuple[str, Picture]]:
    """The pictures of a request, each with the name of the field that has it."""
    request = submit.request.of if isinstance(submit.request, TokenizeRequest) else submit.request
    if not isinstance(request, ChatRequest):
        return []
    return [
        (f"messages.{number}.content", picture)
        for number, message in enumerate(request.messages)
        for picture in message.pictures
    ]
