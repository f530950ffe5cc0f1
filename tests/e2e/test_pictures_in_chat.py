"""A picture of the playground reaches a real model in a real worker, and changes what it says."""

import io
import json
import shutil
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.e2e.site import Site, fresh_dir
from tests.nightly import nightly
from tests.tiny import make_tiny_model
from tests.tiny_vision import NEEDS_MLX_VLM, UNIT, drawn, make_tiny_pixtral

pytestmark = [pytest.mark.e2e, pytest.mark.mlx, NEEDS_MLX_VLM]
ROWS, COLUMNS = 2, 4
TOKENS = ROWS * (COLUMNS + 1)  # each row ends with a token of its own


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A site with a model that sees, and one that reads text only."""
    folder = fresh_dir()
    make_tiny_pixtral(folder / "models" / "eyes")
    make_tiny_model(folder / "models" / "words")
    with Site(folder, "--no-starter", env={"MLX_SERVER_TITLES": "false"}) as site:
        yield site.wait_ready()
    shutil.rmtree(folder, ignore_errors=True)


class Chat:
    """The playground's page, without its browser."""

    def __init__(self, site: Site) -> None:
        self.client = httpx.Client(base_url=site.url, timeout=120)
        self.client.get("/").raise_for_status()
        self.client.headers["X-CSRFToken"] = self.client.cookies["mlxsite_csrf"]

    def add(self, image: Image.Image) -> str:
        file = io.BytesIO()
        image.save(file, "PNG")
        kind = {"Content-Type": "application/octet-stream"}
        added = self.client.post("/chat/attachments/?name=a.png", content=file.getvalue(), headers=kind)
        return str(added.raise_for_status().json()["id"])

    def post(self, model: str = "eyes", **turn: Any) -> httpx.Response:
        question = {"model": model, "temperature": 0, "max_tokens": 16}
        return self.client.post("/chat/ask/", json={"question": question, **turn})

    def answered(self, **turn: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The question, and its answer once that has ended."""
        asked = self.post(**turn).raise_for_status().json()
        question, answer = asked["messages"]
        events = self.client.get(f"/chat/messages/{answer['id']}/events/").text.splitlines()
        ended = [json.loads(line[6:]) for line in events if line.startswith("data: ")][-1]["answer"]
        assert ended["status"] == "done", ended
        return {**question, "conversation": asked["conversation"]}, ended


@nightly
def test_a_model_answers_about_the_picture_that_it_is_shown(site: Site) -> None:
    chat = Chat(site)
    size = COLUMNS * UNIT, ROWS * UNIT
    first, other = (chat.add(drawn(*size, seed=seed)) for seed in (1, 2))
    counting = f"/chat/attachments/{other}/tokens/?model=eyes"
    assert chat.client.get(counting).json() == {"tokens": None}
    question, seen = chat.answered(content="What is it?", attachments=[first])
    assert chat.client.get(counting).json() == {"tokens": TOKENS}
    _, unseen = chat.answered(content="What is it?")
    assert seen["figures"]["prompt_tokens"] - unseen["figures"]["prompt_tokens"] == TOKENS
    _, again = chat.answered(conversation=question["conversation"], parent=question["id"])
    _, another = chat.answered(content="What is it?", attachments=[other])
    assert again["content"] == seen["content"] != another["content"]
    refused = chat.post("words", content="What is it?", attachments=[chat.add(drawn(*size))])
    message = refused.json()["error"]["message"]
    assert (refused.status_code, message) == (400, "The model 'words' reads text only; 'eyes' sees pictures.")
