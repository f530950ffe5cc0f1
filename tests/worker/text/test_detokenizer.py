"""The detokenizer: the streamed text is the text of all tokens, however they are cut."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from inference.worker.model.tokenizer import HubTokenizer
from inference.worker.text.detokenizer import Detokenizer
from tests.adapters.family_models import hub_tokenizer
from tests.each import each
from tests.tiny import make_tokenizer

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
    # A replacement character at the very end looks like an unfinished one, and is dropped too.
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


@each(
    ("generated", "kept"),
    [("\ufffd😀".encode(), "😀a"), (b"\x80", "a"), ("€".encode() + b"\x80", "€a"), (b"\xf0\x9f", "a")],
)
def test_byte_fallback_loses_no_character_to_nonsense_beside_it(generated: bytes, kept: str) -> None:
    ids = [METASPACE.id_of(f"<0x{byte:02X}>") or 0 for byte in generated]
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


@each("generated", ["a", "😀", "\ufffd"])
def test_the_work_for_a_token_does_not_grow(generated: str) -> None:
    counting = CountingDecoder()
    detokenizer = Detokenizer(counting)
    for token in BYTES.encode(generated * 500):
        detokenizer.feed(token)
    assert counting.longest <= 24


@each("text", ["😀", "日本語", "👩‍👩‍👧", "naïve", "e\u0301", "\u2028", "a\x00b"])
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


def test_a_replacement_character_that_was_generated_is_kept() -> None:
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


def test_the_byte_tokenizer_of_these_tests_has_no_merges() -> None:
    assert len(make_tokenizer(()).encode("hello").ids) == 5
