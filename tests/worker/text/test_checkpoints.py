"""Checkpoints of messages as positions in prompts."""

from pathlib import Path

import pytest

from inference.core.protocol import Load
from inference.core.requests import PICTURE, ChatRequest, Checkpoint, Message, Picture
from inference.worker.model.loading import load
from inference.worker.text.checkpoints import positions
from inference.worker.text.prompts import Prompts
from tests.adapters.family_models import make
from tests.architectures import folders
from tests.tiny import CHATML, LLAMA_3

SYSTEM = Message(role="system", content="Be brief. Be kind.")
QUESTION = Message(role="user", content="A file.\n\nA question.")


def shared(
    template: str, *marks: tuple[int, int], messages: tuple[Message, ...] = (SYSTEM, QUESTION)
) -> list[str]:
    """The text of the prompt before each checkpoint."""
    adapter, tokenizer = make(template)
    checkpoints = tuple(Checkpoint(message=message, characters=at) for message, at in marks)
    request = ChatRequest(model="m", messages=messages, checkpoints=checkpoints)
    prompt = adapter.render(request)
    return [tokenizer.decode(prompt[:at]) for at in positions(request, prompt, adapter.render)]


@pytest.mark.parametrize("template", [CHATML, LLAMA_3])
def test_a_checkpoint_is_where_its_text_ends(template: str) -> None:
    first, second = shared(template, (0, 9), (1, 7))
    assert first.endswith("Be brief.") and second.endswith("A file.")
    assert SYSTEM.content in second


@pytest.mark.parametrize("template", [CHATML, LLAMA_3])
def test_one_without_characters_is_before_its_message(template: str) -> None:
    (before,) = shared(template, (0, 0))
    assert "Be" not in before and before
    (between,) = shared(template, (1, 0))
    assert SYSTEM.content in between and "A file" not in between


def test_one_at_the_end_of_a_message_is_there() -> None:
    (end,) = shared(CHATML, (1, len(QUESTION.content)))
    assert end.endswith("A question.")


def test_one_behind_all_messages_is_none() -> None:
    assert shared(CHATML, (2, 0)) == []
    assert shared(CHATML) == []


def test_what_is_tried_has_the_pictures_before_the_place_alone() -> None:
    pictures = tuple(Picture(data=data, media_type="image/png", width=1, height=1) for data in (b"1", b"2"))
    seen = Message(role="user", content=f"{PICTURE}this or {PICTURE}that", pictures=pictures)
    marks = (Checkpoint(message=0, characters=0), Checkpoint(message=0, characters=8))
    tried: list[Message] = []

    def render(request: ChatRequest) -> list[int]:
        tried.extend(request.messages)
        return [0]

    positions(ChatRequest(model="m", messages=(seen,), checkpoints=marks), [0, 1, 2], render)
    assert [message.pictures for message in tried] == [(), pictures[:1]]
    assert all(message.content.count(PICTURE) == len(message.pictures) for message in tried)


def test_text_that_looks_like_what_is_tried_is_no_trouble() -> None:
    odd = Message(role="user", content="A file.~ and more")
    (place,) = shared(CHATML, (0, 7), messages=(odd,))
    assert place.endswith("A file.")


@pytest.mark.mlx
@pytest.mark.parametrize(
    ("architecture", "is_used"), [("mamba", True), ("gemma3_text", True), ("llama", False)]
)
def test_models_that_share_any_prefix_need_none(architecture: str, is_used: bool, tmp_path: Path) -> None:
    options = Load(model="m", path=str(folders.write(architecture, tmp_path)), device="cpu")
    loaded = load(options, lambda progress: None)
    request = ChatRequest(
        model="m", messages=(SYSTEM, QUESTION), checkpoints=(Checkpoint(message=1, characters=7),)
    )
    (prepared,) = Prompts(loaded, options).prepare(request, "me")
    assert loaded.needs_checkpoints == is_used
    ends = [loaded.tokenizer.decode(prepared.prompt[:at]) for at in prepared.sequences[0].checkpoints]
    assert [end.rpartition("\n")[2] for end in ends] == ["A file."] * is_used
