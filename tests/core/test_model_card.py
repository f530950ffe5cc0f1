"""A model as the catalog describes it."""

from inference.core.model_card import KVEstimate
from inference.core.requests import Sampling
from tests.fakes import card


def test_the_longest_context_is_the_models_own_where_the_operator_chose_one() -> None:
    assert card("a", context_length=4096).longest_context == 4096
    assert card("a", context_length=512, own_context=4096).longest_context == 4096


def test_a_load_needs_the_weights_and_a_chunk_of_prefill() -> None:
    assert card("a", resident_bytes=100, prefill_bytes=7).load_bytes == 107


def test_a_card_needs_what_was_estimated_for_its_bits() -> None:
    estimates = tuple(
        KVEstimate(bits=bits, bytes_per_token=100 + bits, prefill_bytes=bits) for bits in (0, 4, 8)
    )
    for bits in (0, 4, 8):
        chosen = card("a", kv_estimates=estimates).with_kv_bits(bits)
        assert (chosen.kv_bits, chosen.kv_bytes_per_token, chosen.prefill_bytes) == (bits, 100 + bits, bits)
    embedding = card("a", kv_bytes_per_token=0)
    assert embedding.with_kv_bits(8) == embedding


def test_a_draft_models_bytes_are_among_those_of_the_model() -> None:
    sizes = {"resident_bytes": 1000, "kv_bytes_per_token": 50, "prefill_bytes": 70}
    draft = card("small", path="/m/small", resident_bytes=100, kv_bytes_per_token=5, prefill_bytes=90)
    both = card("big", **sizes).with_draft_model("small", draft)
    assert (both.draft_model, both.draft_path) == ("small", "/m/small")
    assert (both.resident_bytes, both.kv_bytes_per_token, both.prefill_bytes) == (1100, 55, 90)


def test_a_draft_model_that_cannot_be_used_has_no_path_and_no_bytes() -> None:
    big = card("big", resident_bytes=1000)
    for draft in (None, card("big"), card("x", problem="broken"), card("x", kind="embedding")):
        chosen = big.with_draft_model("x", draft)
        assert (chosen.draft_model, chosen.draft_path, chosen.resident_bytes) == ("x", "", 1000)


def test_choices_that_need_no_reload_are_taken_over_and_no_others() -> None:
    before = card("a", context_length=512, adapter="llama3")
    chosen = {"is_pinned": True, "idle_ttl_s": 5.0, "aliases": ("b",), "sampling": Sampling(temperature=0.5)}
    after = before.with_choices_of(card("a", context_length=64, adapter="qwen", **chosen))
    assert {name: getattr(after, name) for name in chosen} == chosen
    assert (after.context_length, after.adapter) == (512, "llama3")


def test_what_memory_limits_is_less_than_what_is_allowed() -> None:
    chosen = card("a", context_length=512, own_context=4096, context_cap=512)
    assert (chosen.allowed_context, chosen.longest_context) == (512, 4096)
    limited = card("a", context_length=4096).with_context(1000)
    assert (limited.context_length, limited.allowed_context, limited.longest_context) == (1000, 4096, 4096)
    assert limited.with_context(2000).longest_context == 4096


def test_a_model_of_several_ranks_is_divided_but_for_what_each_rank_holds() -> None:
    sizes = {"resident_bytes": 1000, "undivided_bytes": 200, "kv_bytes_per_token": 60, "prefill_bytes": 10}
    whole = card("big", **sizes, sees=True)
    here = whole.with_ranks(4, 4)
    assert (here.ranks, here.resident_bytes, here.kv_bytes_per_token) == (4, 4 * (200 + 200), 60)
    assert (here.prefill_bytes, here.sees) == (40, False)
    elsewhere = whole.with_ranks(4, 1)
    assert (elsewhere.resident_bytes, elsewhere.kv_bytes_per_token) == (400, 15)
    latents = card("big", **sizes, has_undivided_kv=True).with_ranks(4, 1)
    assert latents.kv_bytes_per_token == 60
    assert whole.with_ranks(1, 1) == whole
