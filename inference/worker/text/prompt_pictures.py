"""The pictures of a prompt: written into its text, and found among its tokens."""

from collections.abc import Callable
from functools import partial

from inference.worker.model.loaded_model import LoadedModel
from inference.worker.vision.places import Pictures, expanded, place
from inference.worker.vision.seen import SeenPictures


class PromptPictures:
    """What a model's vision makes of pictures in a prompt; nothing, where there are none."""

    def __init__(self, model: LoadedModel) -> None:
        self._placeholder = model.vision.placeholder if model.vision else ""
        self._image_token = model.vision.image_token if model.vision else ""
        self._image_id = model.tokenizer.id_of(self._image_token) if model.vision else None

    def expansion(self, seen: SeenPictures) -> Callable[[str], str]:
        """Writes the text of each picture in its place in a rendered prompt."""
        if not seen:
            return str
        return partial(expanded, placeholder=self._placeholder, image_token=self._image_token, pictures=seen)

    def placed(self, prompt: list[int], seen: SeenPictures) -> Pictures | None:
        """Where they are among the prompt's tokens; raises TemplateFailed if the template wrote others."""
        return place(prompt, self._image_id, seen) if seen and self._image_id is not None else None
