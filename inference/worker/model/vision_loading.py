"""Gives a loaded model what it sees with, if it is of a known family and mlx-vlm is installed."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import mlx.core as mx

from inference.adapters import ModelFacts
from inference.core.errors import TemplateFailed
from inference.core.model_card import Finding, Light
from inference.core.requests import PICTURE, ChatRequest, Message, Picture
from inference.repository.files.vision import MOST_TOKENS_ON_A_CPU
from inference.worker.model import cpu, mlx_lm_patches
from inference.worker.model.load_report import LoadReport
from inference.worker.model.loaded_model import LoadedModel
from inference.worker.model.model_files import read_picture_rules
from inference.worker.model.weights import materialise
from inference.worker.vision import mlx_vlm_import, towers
from inference.worker.vision.families.gemma3 import Gemma3
from inference.worker.vision.families.gemma4 import Gemma4
from inference.worker.vision.families.idefics3 import Idefics3
from inference.worker.vision.families.pixtral import Pixtral
from inference.worker.vision.families.qwen import Qwen
from inference.worker.vision.picture_mask import with_pictures
from inference.worker.vision.seen import VisionFamily

logger = logging.getLogger(__name__)
_FAMILIES: Mapping[str, Callable[..., VisionFamily]] = {
    "gemma3": Gemma3,
    "gemma4": Gemma4,
    "idefics3": Idefics3,
    "mistral3": Pixtral,
    "pixtral": Pixtral,
    "qwen2_5_vl": Qwen,
    "qwen3_5": Qwen,
    "qwen3_5_moe": Qwen,
    "qwen3_vl": Qwen,
    "qwen3_vl_moe": Qwen,
    "smolvlm": Idefics3,
}
# The text models of mlx-lm, by model_type, in which pictures may be seen both ways.
_MASKED: Mapping[str, str] = {"gemma3": "gemma3_text", "gemma4": "gemma4_text"}
_PROBE = Picture(data=b"", media_type="image/png", width=1, height=1)


class Blind(Exception):
    """The model sees nothing; the message is for its owner. `light` is that of the finding."""

    def __init__(self, message: str, light: Light = "amber") -> None:
        super().__init__(message)
        self.light = light


def with_vision(
    loaded: LoadedModel, facts: ModelFacts, folder: Path, most_tokens: int, report: LoadReport
) -> LoadedModel:
    """The model with its vision, or with a finding that says why it has none; a text model as it is.

    1. Find the family, and whether the folder has its tower.
    2. Make the tower and read its weights; on a CPU they become fp32.
    3. Try whether the tokenizer has the family's tokens, whether the template writes a picture, and whether
       the tower computes numbers.
    4. Have the text model look for pictures, and its masks know of them.

    Whatever is wrong with the vision, the model serves texts. `most_tokens` are those of one picture.
    """
    if not facts.config.get("vision_config"):
        return loaded
    try:
        vision = _vision(loaded, facts, folder, most_tokens, report)
    except Blind as blind:
        return _blind(loaded, str(blind), blind.light)
    except Exception:  # its files can be wrong in any way, and mlx-vlm another release
        logger.exception("Cannot load the vision of a model")
        text = (
            "It does not support pictures: its vision tower cannot be loaded; the server's log has the "
            "details."
        )
        return _blind(loaded, text, "amber")
    return replace(loaded, vision=vision)


def _vision(
    loaded: LoadedModel, facts: ModelFacts, folder: Path, most_tokens: int, report: LoadReport
) -> VisionFamily:
    make = _FAMILIES.get(facts.model_type)
    if make is None:
        raise Blind(
            "It does not support pictures: this server does not support this kind of vision model yet.",
            "green",
        )
    if not towers.has_weights(folder):
        raise Blind("It does not support pictures: its folder has only the weights of a text model.", "green")
    if not mlx_vlm_import.is_installed():
        raise Blind("It does not support pictures until mlx-vlm is installed: pip install 'mlxsite[vision]'.")
    is_cpu = loaded.device == "cpu"
    most = min(most_tokens, MOST_TOKENS_ON_A_CPU) if is_cpu else most_tokens
    vision = make(facts.config, read_picture_rules(folder), most)
    try:
        towers.put_weights(vision.tower, folder, facts.config)
    except towers.MissingWeights as error:
        raise Blind(f"It does not support pictures: {error}.") from None
    _try_template(loaded, vision)
    if is_cpu:
        vision.tower = cpu.prepared(vision.tower, report)
    materialise(vision.tower, report)
    _try_tower(vision)
    vision.install(loaded.model)
    if kind := _MASKED.get(facts.model_type):
        mlx_lm_patches.install_mask(kind, with_pictures)
    return vision


def _try_template(loaded: LoadedModel, vision: VisionFamily) -> None:
    ids = {one: loaded.tokenizer.id_of(one) for one in (vision.image_token, vision.placeholder)}
    if missing := [one for one, number in ids.items() if number is None]:
        raise Blind(f"It does not support pictures: its vocabulary has no {missing[0]}.")
    question = Message(role="user", content=f"What is this? {PICTURE}", pictures=(_PROBE,))
    try:
        prompt = loaded.adapter.render(ChatRequest(model="", messages=(question,)))
    except TemplateFailed:
        prompt = []
    if sum(token == ids[vision.placeholder] for token in prompt) != 1:
        raise Blind("It does not support pictures: its chat template does not write them.")


def _try_tower(vision: VisionFamily) -> None:
    """Look at a grey picture. It also evaluates what the tower has beside its weights, on this thread."""
    from PIL import Image

    grey = Image.new("RGB", (64, 64), (128, 128, 128))
    seen = vision.see(grey, b"", "low")
    features = vision.look(seen)
    mx.eval(features)
    if features.shape[0] != seen.tokens or not mx.isfinite(features).all().item():
        raise Blind("It does not support pictures: its vision weights are damaged.")


def _blind(loaded: LoadedModel, text: str, light: Light) -> LoadedModel:
    finding = Finding(light=light, about="pictures", text=text)
    blindness = text.replace("It", "This model", 1)
    return replace(loaded, blindness=blindness, findings=(*loaded.findings, finding))
