"""What `manage.py connect` prints, run as it is printed against a real site."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import OpenAI

from inference.core.config import BASE_DIR
from tests.clients.live import node
from tests.clients.live.conftest import OBSIDIAN
from tests.e2e.site import Site
from tests.nightly import nightly, of_each_kind
from tests.scripted_model import ANSWER

pytestmark = pytest.mark.e2e
PROGRAMS = {
    "openai-python": [sys.executable, "-c"],
    "anthropic-python": [sys.executable, "-c"],
    "curl": ["bash", "-c"],
    "openai-node": [str(node.NODE), "--input-type=module", "--eval"],
}


def printed(site: Site, client: str) -> str:
    command = [sys.executable, "manage.py", "connect", client, "--model", "tiny"]
    env = os.environ | {"MLX_SERVER_DATA_DIR": str(site.data_dir), "MLX_SERVER_USE_HUB_CACHE": "false"}
    done = subprocess.run(
        command, cwd=BASE_DIR, env=env, capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout


def cases() -> Iterator[Any]:
    for client in of_each_kind(PROGRAMS, ["openai-python", "curl"]):
        yield pytest.param(client, marks=node.NEEDS_NODE if client == "openai-node" else ())


@pytest.mark.parametrize("client", [*cases()])
def test_a_printed_program_gets_the_answer(scripted_site: Site, client: str) -> None:
    if client == "openai-node":
        node.install()
    text = printed(scripted_site, client)
    assert scripted_site.url in text
    folder: Path = node.FOLDER
    done = subprocess.run([*PROGRAMS[client], text], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    assert ANSWER in done.stdout


class FromContainer(httpx.HTTPTransport):
    """A container's way to this machine: the name that it has there leads to loopback, and stays in Host."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert request.url.host == "host.docker.internal"
        request.url = request.url.copy_with(host="127.0.0.1")
        return super().handle_request(request)


@nightly
def test_open_webui_reaches_the_site_from_its_container(scripted_site: Site) -> None:
    words = shlex.split(printed(scripted_site, "open-webui"))
    env = dict(word.split("=", 1) for flag, word in zip(words, words[1:], strict=False) if flag == "-e")
    with httpx.Client(transport=FromContainer(), trust_env=False) as http:
        client = OpenAI(
            base_url=env["OPENAI_API_BASE_URL"],
            api_key=env["OPENAI_API_KEY"],
            http_client=http,
            max_retries=0,
        )
        assert env["DEFAULT_MODELS"] in [model.id for model in client.models.list()]
        chunks = client.chat.completions.create(
            model=env["DEFAULT_MODELS"], messages=[{"role": "user", "content": "Hello"}], stream=True
        )
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == ANSWER


# The headers that the plugin's OpenAI client adds in a window, for which a browser asks beforehand.
STAINLESS = [
    f"x-stainless-{name}" for name in ("arch", "lang", "os", "package-version", "retry-count", "runtime")
]


@nightly
def test_obsidian_reaches_the_site_from_its_window(scripted_site: Site) -> None:
    fields = dict(re.findall(r"^(\w[\w ]*?) {2,}(.+)$", printed(scripted_site, "obsidian"), re.MULTILINE))
    address = f"{fields['Base URL']}/chat/completions"
    wanted = ["authorization", "content-type", *STAINLESS]
    asked = {
        "Origin": OBSIDIAN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": ",".join(wanted),
    }
    with httpx.Client(trust_env=False) as browser:
        allowed = browser.options(address, headers=asked)
        headers = {"Origin": OBSIDIAN, "Authorization": f"Bearer {fields['API Key']}"}
        question = {"model": fields["Model Name"], "messages": [{"role": "user", "content": "Hello"}]}
        body = question | {"stream": True, "max_tokens": int(fields["Token limit"]), "temperature": 0.1}
        answer = browser.post(address, json=body, headers=headers | dict.fromkeys(STAINLESS, "js"))
        with_cors_on = browser.post(address, json=question)  # from outside of the window
        stranger = browser.options(address, headers=asked | {"Origin": "app://other.md"})
    assert allowed.is_success and allowed.headers["access-control-allow-origin"] == OBSIDIAN
    assert set(wanted) <= set(re.split(", *", allowed.headers["access-control-allow-headers"].lower()))
    assert answer.status_code == 200 and answer.headers["access-control-allow-origin"] == OBSIDIAN
    events = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]
    assert "".join(one["choices"][0]["delta"].get("content") or "" for one in events) == ANSWER
    assert with_cors_on.json()["choices"][0]["message"]["content"] == ANSWER
    assert "access-control-allow-origin" not in stranger.headers
