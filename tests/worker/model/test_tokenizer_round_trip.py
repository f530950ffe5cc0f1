"""Texts survive encoding and decoding, the decoder is repaired, or there is a finding."""

import json
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import AutoTokenizer

from inference.worker.model.tokenizer import HubTokenizer
from inference.worker.model.tokenizer_round_trip import PLAIN, RICH, findings, repair_decoder
from tests.tiny import make_tiny_model, make_tokenizer

pytestmark = pytest.mark.mlx
BYTES = [f"<0x{octet:02X}>" for octet in range(256)]
LETTERS = sorted(set("▁" + PLAIN.replace(" ", "")))


def of_pieces(*, has_bytes: bool = True) -> Tokenizer:
    """As SentencePiece does it: a sign for the space, and bytes for what is in no piece."""
    known = ["<unk>", *(BYTES if has_bytes else []), *LETTERS]
    vocabulary = {piece: place for place, piece in enumerate(known)}
    made = Tokenizer(
        models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>", byte_fallback=has_bytes, fuse_unk=True)
    )
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    made.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return made


def round_of(tokenizer: Tokenizer, text: str) -> str:
    return str(tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False))


@pytest.mark.parametrize("make", [make_tokenizer, of_pieces])
def test_a_sound_tokenizer_keeps_its_decoder(make: Any) -> None:
    tokenizer = make()
    before = repr(tokenizer.decoder)
    repair_decoder(tokenizer)
    assert repr(tokenizer.decoder) == before and findings(tokenizer) == ()


@pytest.mark.parametrize(
    "decoder",
    [
        of_pieces().decoder,
        decoders.Metaspace(),
        decoders.Fuse(),
        decoders.Replace("_", " "),
        decoders.WordPiece(),
    ],
)
def test_a_byte_level_vocabulary_gets_the_decoder_it_needs(decoder: Any) -> None:
    tokenizer = make_tokenizer()
    tokenizer.decoder = decoder
    repair_decoder(tokenizer)
    assert round_of(tokenizer, RICH) == RICH and findings(tokenizer) == ()


@pytest.mark.parametrize("decoder", [decoders.ByteLevel(), decoders.Fuse(), decoders.WordPiece()])
def test_a_vocabulary_of_pieces_does_too(decoder: Any) -> None:
    tokenizer = of_pieces()
    tokenizer.decoder = decoder
    repair_decoder(tokenizer)
    assert round_of(tokenizer, RICH).removeprefix(" ") == RICH and findings(tokenizer) == ()


def test_what_a_vocabulary_cannot_write_is_reported() -> None:
    tokenizer = of_pieces(has_bytes=False)
    before = repr(tokenizer.decoder)
    repair_decoder(tokenizer)
    (finding,) = findings(tokenizer)
    assert (finding.light, finding.about) == ("amber", "tokenizer") and "naïve" in finding.text
    assert repr(tokenizer.decoder) == before


def test_a_vocabulary_that_contradicts_what_splits_its_texts_is_red() -> None:
    tokenizer = make_tokenizer()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    repair_decoder(tokenizer)
    (finding,) = findings(tokenizer)
    assert (finding.light, finding.about) == ("red", "tokenizer") and "Hello, world" in finding.text


def test_the_worker_reads_bytes_and_grammars_from_what_was_mended(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "tiny")
    tokenizer = make_tokenizer()
    tokenizer.decoder = of_pieces().decoder
    tokenizer.save(str(folder / "tokenizer.json"))
    made = HubTokenizer(AutoTokenizer.from_pretrained(folder))
    (space,) = made.encode(" ")
    assert (made.token_bytes(space), made.decode(made.encode("a b é"))) == (b" ", "a b é")
    assert json.loads(made.as_json())["decoder"]["type"] == "ByteLevel"
