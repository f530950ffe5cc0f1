"""A real model that says odd bytes: streamed is whole, wherever tokens cut a letter or a stop string."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.e2e.conversation import HELLO
from tests.e2e.site import Site
from tests.nightly import IS_NIGHTLY, nightly

pytestmark = pytest.mark.mlx
SEEDS = st.integers(0, 2**32)
SOME = settings(
    max_examples=12 if IS_NIGHTLY else 6,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
# Emoji of several code points, CJK, a combining mark, and what stands alone in three bytes.
FOREIGN = "👩🏽‍🚀日本語e\u0301 한국어 🇫🇷\u2028ﷺ"


def asked(site: Site, endpoint: str, **fields: Any) -> str:
    """The text of the answer."""
    wishes = {"model": "tiny", "temperature": 1.0, "max_tokens": 30} | fields
    if endpoint == "responses":
        wishes["max_output_tokens"] = wishes.pop("max_tokens")
    answer = httpx.post(f"{site.url}/v1/{endpoint}", json=wishes, timeout=60)
    assert answer.status_code == 200, answer.text
    if wishes.get("stream"):
        lines = (line[6:] for line in answer.text.split("\n") if line.startswith("data: {"))
        return "".join(map(_piece, map(json.loads, lines)))
    return _text(answer.json())


def _piece(chunk: Any) -> str:
    if "choices" not in chunk:
        return str(chunk["delta"]) if chunk["type"] == "response.output_text.delta" else ""
    choice = chunk["choices"][0]
    return str((choice["delta"].get("content") or "") if "delta" in choice else choice["text"])


def _text(answer: Any) -> str:
    if "output" in answer:
        return "".join(part["text"] for item in answer["output"] for part in item["content"])
    choice = answer["choices"][0]
    return str(choice["message"]["content"] if "message" in choice else choice["text"])


@SOME
@given(seed=SEEDS)
def test_streamed_text_is_the_whole_text(tiny_site: Site, seed: int) -> None:
    for endpoint, body in (
        ("chat/completions", {"messages": HELLO, "seed": seed}),
        ("completions", {"prompt": FOREIGN, "seed": seed}),
        ("completions", {"prompt": FOREIGN, "seed": seed, "echo": True, "logprobs": 1}),
        ("responses", {"input": FOREIGN[: seed % 9 + 1], "temperature": 0.0, "store": False}),
    ):
        assert asked(tiny_site, endpoint, stream=True, **body) == asked(tiny_site, endpoint, **body)


@nightly
@SOME
@given(seed=SEEDS, data=st.data())
def test_a_stop_string_is_found_wherever_tokens_cut_it(
    tiny_site: Site, seed: int, data: st.DataObject
) -> None:
    for endpoint, body in (
        ("chat/completions", {"messages": HELLO, "seed": seed}),
        ("completions", {"prompt": FOREIGN, "seed": seed}),
    ):
        text = asked(tiny_site, endpoint, **body)
        begin = data.draw(st.integers(0, len(text) - 2))
        stop = text[begin : data.draw(st.integers(begin + 1, min(len(text), begin + 12)))]
        cut = text[: text.index(stop)]
        assert asked(tiny_site, endpoint, stop=stop, **body) == cut
        assert asked(tiny_site, endpoint, stop=["never said by it", stop], stream=True, **body) == cut


@pytest.mark.parametrize("is_stream", [False, True])
def test_foreign_text_is_echoed_byte_by_byte(tiny_site: Site, is_stream: bool) -> None:
    body = {"prompt": FOREIGN, "echo": True, "max_tokens": 0}
    assert asked(tiny_site, "completions", stream=is_stream, **body) == FOREIGN
