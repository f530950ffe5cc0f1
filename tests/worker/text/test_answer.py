"""Tokens to text: whatever the cuts, what is streamed is what would have been said whole."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from inference.adapters.channel_reader import ChannelReader
from inference.core.events import ReasoningDelta, TextDelta
from inference.core.requests import ChatRequest, CompletionRequest, Message
from inference.worker.model.tokenizer import HubTokenizer
from inference.worker.text.answer import AnswerText
from inference.worker.text.detokenizer import Detokenizer
from inference.worker.text.stop_strings import StopStrings
from tests.adapters.family_models import hub_tokenizer, make, real
from tests.tiny import CHATML, SPECIAL, make_tokenizer

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


def merged() -> HubTokenizer:
    """A byte-level tokenizer whose tokens hold several characters, and pieces of them."""
    tokenizer = make_tokenizer(())
    texts = ["日本語 日本 👩‍👩‍👧 👨‍👩‍👧 naïve the then that 🏳️‍🌈 😀😁😂"] * 3
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=330, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
        ),
    )
    return HubTokenizer(PreTrainedTokenizerFast(tokenizer_object=tokenizer))


def unigram() -> HubTokenizer:
    """A Unigram tokenizer with the decoder of T5 and its kin, which drops the first mark only."""
    pieces = ["▁", "▁the", "the", "a", "é", "日", "本", "日本", "\n", *"👩👧🏳🌈\u200d\ufe0f\ufffd"]
    model = models.Unigram([("<unk>", 0.0), *((piece, -1.0 - len(piece)) for piece in pieces)], 0, False)
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return HubTokenizer(PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>"))


METASPACE, MERGED, UNIGRAM = metaspace(), merged(), unigram()


def streamed(tokenizer: HubTokenizer, ids: Sequence[int], context: Sequence[int] = ()) -> str:
    detokenizer = Detokenizer(tokenizer, context)
    return "".join(detokenizer.feed(token) for token in ids) + detokenizer.flush()


@given(st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=40))
def test_joined_deltas_are_the_text(text: str) -> None:
    # A replacement character at the very end cannot be told from an unfinished one, and is dropped too.
    assert streamed(BYTES, BYTES.encode(text)) == text.rstrip("\ufffd")


@given(
    st.lists(st.sampled_from(["▁the", "▁capital", "▁is", "▁Paris", "a", "b", "▁a", ".", "é"]), max_size=12)
)
def test_words_with_marks_join_up_as_they_decode(words: list[str]) -> None:
    ids = [METASPACE.id_of(word) or 0 for word in words]
    assert streamed(METASPACE, ids) == METASPACE.decode(ids)


@given(st.lists(st.integers(0, 255), max_size=24))
def test_whatever_bytes_a_model_says_join_up_as_they_decode(ids: list[int]) -> None:
    assert streamed(BYTES, ids).rstrip("\ufffd") == BYTES.decode(ids).rstrip("\ufffd")


@pytest.mark.parametrize(
    ("said", "kept"),
    [("\ufffd😀".encode(), "😀a"), (b"\x80", "a"), ("€".encode() + b"\x80", "€a"), (b"\xf0\x9f", "a")],
)
def test_byte_fallback_loses_no_character_to_nonsense_beside_it(said: bytes, kept: str) -> None:
    ids = [METASPACE.id_of(f"<0x{byte:02X}>") or 0 for byte in said]
    assert streamed(METASPACE, [*ids, METASPACE.id_of("a") or 0]).replace("\ufffd", "") == kept


def test_a_byte_of_nonsense_does_not_cost_the_character_after_it() -> None:
    nonsense, emoji = BYTES.encode("😀")[1:2], BYTES.encode("😀")
    assert streamed(BYTES, nonsense + emoji) == "\ufffd😀"


@given(st.lists(st.sampled_from(["👩‍👩‍👧", "日本", "é", "a", " the", "🏳️‍🌈", "\n"]), max_size=8).map("".join))
def test_merged_tokens_and_byte_fallback_join_up_as_they_decode(text: str) -> None:
    for tokenizer in (MERGED, METASPACE, UNIGRAM):
        ids = tokenizer.encode(text)
        assert streamed(tokenizer, ids) == tokenizer.decode(ids)


@given(st.data())
def test_tokens_of_several_characters_join_up_in_any_order(data: st.DataObject) -> None:
    ids = data.draw(st.lists(st.integers(0, MERGED.size - 1), max_size=16))
    assert streamed(MERGED, ids).rstrip("\ufffd") == MERGED.decode(ids).rstrip("\ufffd")


@pytest.mark.parametrize("tokenizer", [BYTES, METASPACE], ids=["bytes", "metaspace"])
def test_a_prompt_that_ends_with_an_emoji_may_be_continued_with_one(tokenizer: HubTokenizer) -> None:
    emojis = tokenizer.encode("a😀😀")
    assert streamed(tokenizer, tokenizer.encode("b😀")[-4:], context=emojis) == "😀"


def test_an_id_without_text_takes_no_space_from_the_next() -> None:
    unknown = METASPACE.size + 7  # embeddings are often padded beyond the vocabulary
    the, is_ = METASPACE.id_of("▁the") or 0, METASPACE.id_of("▁is") or 0
    assert streamed(METASPACE, [the, unknown, is_]) == "the is"


class CountingDecoder:
    """Decodes like the byte tokenizer and remembers the longest window it was given."""

    longest = 0

    def decode(self, ids: Sequence[int]) -> str:
        self.longest = max(self.longest, len(ids))
        return BYTES.decode(ids)


@pytest.mark.parametrize("said", ["a", "😀", "\ufffd"])
def test_the_work_for_a_token_does_not_grow(said: str) -> None:
    counting = CountingDecoder()
    detokenizer = Detokenizer(counting)
    for token in BYTES.encode(said * 500):
        detokenizer.feed(token)
    assert counting.longest <= 24


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


def answer(**options: Any) -> AnswerText:
    return AnswerText(BYTES, hidden=BYTES.special_ids, **options)


def feed(made: AnswerText, text: str) -> list[Any]:
    events: list[Any] = []
    for token in BYTES.encode(text):
        events += made.feed(token)
        if made.is_stopped:
            return events
    return events + made.flush()


def said(events: list[Any], kind: type[TextDelta | ReasoningDelta] = TextDelta) -> str:
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


@pytest.mark.parametrize("stop", ["<|eot_id|>", "#"])
def test_a_stop_token_has_no_text_even_as_an_ordinary_token(stop: str) -> None:
    token = BYTES.encode(stop)[0]
    made = AnswerText(BYTES, hidden=BYTES.special_ids | {token})
    events = [*made.feed(BYTES.encode("a")[0]), *made.feed(token), *made.flush()]
    assert (said(events), made.tokens) == ("a", 2)


def test_a_chats_answer_has_the_adapters_hidden_tokens_and_reader() -> None:
    adapter, tokenizer = make(CHATML, ("<|im_start|>", "<|im_end|>", "<think>", "</think>"))
    request = ChatRequest(model="tiny", messages=(Message(role="user", content="hi"),))
    made = AnswerText.of(request, adapter.render(request), tokenizer, adapter)
    events: list[Any] = []
    for token in tokenizer.encode("<think>hm</think>ok<|im_end|>"):
        events += made.feed(token)
    events += made.flush()
    assert (said(events, ReasoningDelta), said(events)) == ("hm", "ok")


def test_a_completion_is_read_as_it_is_and_echoes_its_prompt() -> None:
    adapter, tokenizer = make(CHATML, ("<|im_start|>", "<|im_end|>", "<think>", "</think>"))
    request = CompletionRequest(model="tiny", prompts=("say <think>",), echo=True)
    made = AnswerText.of(request, tokenizer.encode_prompt("say <think>"), tokenizer, adapter)
    events = [*made.begin(), *(event for i in tokenizer.encode("a</think>") for event in made.feed(i))]
    assert said(events + made.flush()) == "say <think>a</think>"


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
    made = answer(stops=["END"], reader=ChannelReader(reasoning=("<think>", "</think>")))
    events = feed(made, "<think>hm</think>four END five")
    assert (said(events, ReasoningDelta), said(events)) == ("hm", "four ")


def test_line_breaks_behind_the_reasoning_are_no_stop_string() -> None:
    made = answer(stops=["\n\n"], reader=ChannelReader(reasoning=("<think>", "</think>")))
    assert said(feed(made, "<think>\nhm\n</think>\n\nIt is 5.\n\nOr so.")) == "It is 5."
    assert made.is_stopped


@pytest.mark.parametrize("said_", ["<think>hm END</think>four", "<think>EN</think>D four"])
def test_a_stop_string_in_the_reasoning_ends_nothing(said_: str) -> None:
    made = answer(stops=["END"], reader=ChannelReader(reasoning=("<think>", "</think>")))
    assert said(feed(made, said_)).endswith("four")
    assert not made.is_stopped


def test_what_is_filled_in_ends_without_a_mark() -> None:
    adapter, tokenizer = real("qwen3", "qwen3")
    request = CompletionRequest(model="tiny", prompts=("a",), suffix="b")
    made = AnswerText.of(request, adapter.infill("a", "b"), tokenizer, adapter)
    events = [event for token in tokenizer.encode("c<|fim_pad|>") for event in made.feed(token)]
    assert said(events + made.flush()) == "c"


def test_the_byte_tokenizer_of_these_tests_has_no_merges() -> None:
    assert len(make_tokenizer(()).encode("hello").ids) == 5
