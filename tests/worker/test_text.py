"""Tokens to text: whatever the cuts, what is streamed is what would have been said whole."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from inference.adapters.reader import Reader
from inference.types import ReasoningDelta, TextDelta
from inference.worker.text import Answer, Detokenizer, StopStrings
from inference.worker.tokenizer import HubTokenizer
from tests.adapters.families import byte_tokenizer, hub_tokenizer
from tests.tiny import SPECIAL

BYTES = hub_tokenizer()


def metaspace() -> HubTokenizer:
    """A sentencepiece-like tokenizer: words begin with a mark, unknown characters fall back to bytes."""
    words = ["▁", "▁the", "▁capital", "▁is", "▁Paris", "a", "b", "c", "▁a", ".", "é"]
    vocab = {"<unk>": 0, **{f"<0x{byte:02X}>": 1 + byte for byte in range(256)}}
    vocab |= {word: 257 + i for i, word in enumerate(words)}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[], byte_fallback=True, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return HubTokenizer(PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>"))


METASPACE = metaspace()


def streamed(tokenizer: HubTokenizer, ids: Sequence[int], context: Sequence[int] = ()) -> str:
    detokenizer = Detokenizer(tokenizer, context)
    return "".join(detokenizer.feed(token) for token in ids) + detokenizer.flush()


@given(st.text(max_size=40))
def test_joined_deltas_are_the_text(text: str) -> None:
    assert streamed(BYTES, BYTES.encode(text)) == text


@given(
    st.lists(st.sampled_from(["▁the", "▁capital", "▁is", "▁Paris", "a", "b", "▁a", ".", "é"]), max_size=12)
)
def test_words_with_marks_join_up_as_they_decode(words: list[str]) -> None:
    ids = [METASPACE.id_of(word) or 0 for word in words]
    assert streamed(METASPACE, ids) == METASPACE.decode(ids)


@pytest.mark.parametrize("text", ["😀", "日本語", "👩‍👩‍👧", "naïve", "e\u0301", "\u2028", "a\x00b"])
def test_characters_are_never_torn(text: str) -> None:
    detokenizer = Detokenizer(BYTES)
    pieces = [detokenizer.feed(token) for token in BYTES.encode(text)]
    assert "\ufffd" not in "".join(pieces)
    assert "".join(pieces) == text


def test_bytes_that_stand_for_characters_are_held_together() -> None:
    ids = [METASPACE.id_of(f"<0x{byte:02X}>") or 0 for byte in "é😀".encode()]
    assert streamed(METASPACE, ids) == "é😀"


def test_a_character_that_never_comes_is_dropped() -> None:
    assert streamed(BYTES, BYTES.encode("ok 😀")[:-1]) == "ok "


def test_a_replacement_character_that_was_said_is_kept() -> None:
    assert streamed(BYTES, BYTES.encode("a\ufffdb")) == "a\ufffdb"


def test_no_more_than_a_character_is_held_back() -> None:
    detokenizer = Detokenizer(BYTES)
    lone_byte = BYTES.encode("😀")[0]
    assert any(detokenizer.feed(lone_byte) for _ in range(4))


def test_a_continuation_keeps_its_first_space() -> None:
    context = METASPACE.encode("the capital is")
    assert streamed(METASPACE, [METASPACE.id_of("▁Paris") or 0], context) == " Paris"


def test_an_answer_of_its_own_begins_without_one() -> None:
    assert streamed(METASPACE, [METASPACE.id_of("▁Paris") or 0]) == "Paris"


def cut(text: str, stops: Sequence[str], sizes: Sequence[int]) -> tuple[str, bool]:
    """What is shown of a text fed in pieces of these sizes, and whether a stop was met."""
    cutter, shown, rest = StopStrings(stops), "", text
    for size in [*sizes, len(text)]:
        piece, rest = rest[:size], rest[size:]
        shown += cutter.feed(piece)
        if cutter.has_matched:
            return shown, True
    return shown + cutter.flush(), False


@given(
    st.text("ab.", max_size=20),
    st.lists(st.text("ab.", min_size=1, max_size=4), min_size=1, max_size=4),
    st.lists(st.integers(1, 4), max_size=20),
)
def test_any_cut_stops_at_the_same_place(text: str, stops: list[str], sizes: list[int]) -> None:
    ends = [(text.find(stop) + len(stop), text.find(stop)) for stop in stops if stop in text]
    expected = (text[: min(ends)[1]], True) if ends else (text, False)
    assert cut(text, stops, sizes) == expected


def test_only_what_may_become_a_stop_is_held_back() -> None:
    stops = StopStrings(["STOP"])
    assert [stops.feed(piece) for piece in ("abcS", "T", "x")] == ["abc", "", "STx"]


def answer(**options: Any) -> Answer:
    return Answer(BYTES, **options)


def feed(made: Answer, text: str) -> list[Any]:
    events: list[Any] = []
    for token in BYTES.encode(text):
        events += made.feed(token)
        if made.is_stopped:
            return events
    return events + made.flush()


def said(events: list[Any], kind: type = TextDelta) -> str:
    return "".join(event.text for event in events if isinstance(event, kind))


def test_a_stop_string_ends_the_answer_before_it() -> None:
    made = answer(stops=["there"])
    assert said(feed(made, "Hello there!")) == "Hello "
    assert made.is_stopped


def test_a_stop_string_may_lie_across_characters_of_several_bytes() -> None:
    made = answer(stops=["é😀"])
    assert said(feed(made, "café😀 bar")) == "caf"


def test_a_stop_string_that_ends_with_the_answer_is_met() -> None:
    made = answer(stops=["."])
    assert said(feed(made, "Yes.")) == "Yes"
    assert made.is_stopped


@pytest.mark.parametrize("token", SPECIAL)
def test_special_tokens_have_no_text_but_count(token: str) -> None:
    made = answer()
    events = feed(made, f"a{token}b")
    assert (said(events), made.tokens) == ("ab", 3)


def test_every_token_is_told_once() -> None:
    made = answer(stops=["zzz"])
    events = feed(made, "naïve 😀 zz")
    assert sum(event.tokens for event in events) == made.tokens


def test_an_echo_comes_first_and_costs_no_tokens() -> None:
    made = answer(echo="Once")
    assert made.begin() == [TextDelta(text="Once", tokens=0)]
    assert made.tokens == 0


def test_reasoning_and_stop_strings_work_together() -> None:
    made = answer(stops=["END"], reader=Reader(reasoning=("<think>", "</think>")))
    events = feed(made, "<think>hm</think>four END five")
    assert (said(events, ReasoningDelta), said(events)) == ("hm", "four ")


def test_the_byte_tokenizer_of_these_tests_has_no_merges() -> None:
    assert len(byte_tokenizer(()).encode("hello").ids) == 5
