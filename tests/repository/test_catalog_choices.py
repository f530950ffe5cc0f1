"""The catalog's cards with what the operator chose, and with what is predicted for this machine."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from inference.core.model_card import Choice, ModelCard
from inference.core.profile import Profile
from inference.core.requests import Sampling
from inference.repository.catalog import Catalog
from tests.tiny import make_tiny_model

Put = Callable[[str], Path]


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def put(models: Path) -> Put:
    return lambda name: make_tiny_model(models / name)


def found(models: Path, **options: Any) -> ModelCard:
    (card,) = Catalog(models, use_hub_cache=False, **options).scan()
    return card


def test_what_was_chosen_is_on_the_card(put: Put, models: Path) -> None:
    put("tiny")
    chosen = {
        "tiny": Choice(is_pinned=True, idle_ttl_s=60, aliases=("gpt-4o",)),
        "gone": Choice(aliases=("x",)),
    }
    catalog = Catalog(models, use_hub_cache=False, choices=lambda: chosen)
    card = catalog.find("gpt-4o")
    assert card and (card.id, card.is_pinned, card.idle_ttl_s) == ("tiny", True, 60)
    assert catalog.find("x") is None


def test_a_model_that_is_switched_off_or_capped_says_so(put: Put, models: Path) -> None:
    put("tiny")
    own = found(models)
    capped = found(models, choices=lambda: {"tiny": Choice(context_cap=64)})
    assert (capped.context_length, capped.context_cap, capped.is_servable) == (64, 64, True)
    assert capped.longest_context == found(models).context_length > 64
    assert found(models, choices=lambda: {"tiny": Choice(context_cap=10**9)}).context_length == (
        own.context_length
    )
    off = found(models, choices=lambda: {"tiny": Choice(is_enabled=False)})
    assert (off.problem, off.is_enabled) == ("an operator has switched it off", False)
    assert own.is_enabled and capped.is_enabled


def test_a_real_id_wins_over_an_alias_and_the_first_of_two_aliases(put: Put, models: Path) -> None:
    for name in ("a", "b", "c"):
        put(name)
    chosen = {"a": Choice(aliases=("b", "both")), "c": Choice(aliases=("both",))}
    catalog = Catalog(models, use_hub_cache=False, choices=lambda: chosen)
    found = [catalog.find(name) for name in ("b", "both")]
    assert [card and card.id for card in found] == ["b", "a"]


def test_the_tag_that_clients_of_ollama_add_is_left_out(put: Put, models: Path) -> None:
    for name in ("a", "b:latest"):
        put(name)
    chosen = {"a": Choice(aliases=("x", "y:latest"))}
    catalog = Catalog(models, use_hub_cache=False, choices=lambda: chosen)
    names = ("a:latest", "b:latest", "x:latest", "y:latest", "a:8b", "b", "a:latest:latest", ":latest")
    found = [catalog.find(name) for name in names]
    assert [card and card.id for card in found] == ["a", "b:latest", "a", "a", None, None, None, None]


def test_a_choice_counts_within_a_second_or_once_the_catalog_forgets(put: Put, models: Path) -> None:
    put("tiny")
    chosen: dict[str, Choice] = {}
    catalog = Catalog(models, use_hub_cache=False, choices=lambda: chosen, clock=lambda: 0.0)
    assert catalog.find("x") is None
    chosen["tiny"] = Choice(aliases=("x",))
    assert catalog.find("x") is None
    catalog.forget()
    assert catalog.find("x")


def test_the_pinned_models_are_those_that_are_there(put: Put, models: Path) -> None:
    put("a")
    put("b")
    chosen = {"b": Choice(is_pinned=True), "gone": Choice(is_pinned=True)}
    catalog = Catalog(models, use_hub_cache=False, choices=lambda: chosen)
    assert catalog.pinned() == ("b",)


def test_the_operators_context_limit_is_on_the_card(put: Put, models: Path) -> None:
    put("tiny")
    lengths = [found(models, context_limit=limit).context_length for limit in (None, 512, 10**6)]
    assert lengths == [2048, 512, 2048]


def test_a_card_predicts_the_cache_and_the_prefill(put: Put, models: Path) -> None:
    put("tiny")
    card = found(models, dequantises=False)
    assert card.kv_bytes_per_token == 2 * 2 * 2 * 16 * 2
    assert card.prefill_bytes > 512 * (12 * 64 + 4 * 128) * 2


def test_a_draft_model_is_found_by_its_id(put: Put, models: Path) -> None:
    for name in ("big", "small"):
        put(name)
    for speculation, chosen, path in (
        ("", "small", str(models / "small")),
        ("lookup", "small", str(models / "small")),
        ("off", "small", ""),
        ("", "elsewhere", ""),
        ("", "big", ""),
    ):
        choice = Choice(draft_model=chosen, speculation=speculation)
        catalog = Catalog(models, use_hub_cache=False, choices=partial(dict, big=choice))
        big, small = catalog.scan()
        assert (big.draft_path, small.draft_path) == (path, "")
        assert big.resident_bytes == small.resident_bytes * (2 if path else 1)


def test_the_bits_of_kv_caches_are_the_operators_or_else_the_sites(put: Put, models: Path) -> None:
    folder = put("tiny")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"head_dim": 64, "num_hidden_layers": 8}))
    for site, chosen, bits in ((0, None, 0), (8, None, 8), (8, 0, 0), (0, 4, 4), (8, 4, 4)):
        card = found(models, kv_bits=site, choices=lambda chosen=chosen: {"tiny": Choice(kv_bits=chosen)})
        assert card.kv_bits == bits
        (estimate,) = (one for one in card.kv_estimates if one.bits == bits)
        assert (card.kv_bytes_per_token, card.prefill_bytes) == (
            estimate.bytes_per_token,
            estimate.prefill_bytes,
        )
    assert found(models, kv_bits=8).kv_bytes_per_token < found(models).kv_bytes_per_token


@pytest.mark.parametrize(
    ("written", "own"),
    [
        ('{"temperature": 0.6, "top_p": 7, "top_k": 20}', Sampling(temperature=0.6, top_k=20)),
        ("[]", Sampling()),
        ("not JSON", Sampling()),
        (None, Sampling()),
    ],
)
def test_a_card_says_what_its_makers_recommend(
    put: Put, models: Path, written: str | None, own: Sampling
) -> None:
    file = put("tiny") / "generation_config.json"
    file.unlink(missing_ok=True)
    if written is not None:
        file.write_text(written)
    assert found(models).own_sampling == own


def test_what_was_found_last_is_known_by_its_aliases_without_a_scan(put: Put, models: Path) -> None:
    put("tiny")
    catalog = Catalog(models, use_hub_cache=False, choices=lambda: {"tiny": Choice(aliases=("x",))})
    assert catalog.known("tiny") is None
    catalog.scan()
    found = [catalog.known(name) for name in ("tiny", "x", "made-up")]
    assert [card and card.id for card in found] == ["tiny", "tiny", None]


def test_an_alias_with_a_star_is_for_all_names_that_nothing_else_has(put: Put, models: Path) -> None:
    for name in ("tiny", "claude-own", "small"):
        put(name)
    chosen = {
        "tiny": Choice(aliases=("claude-*", "opus")),
        "small": Choice(aliases=("claude-haiku-*",), profiles=(Profile(name="terse"),)),
    }
    catalog = Catalog(models, use_hub_cache=False, choices=lambda: chosen)
    found = {
        "claude-opus-9": "tiny",
        "claude-": "tiny",
        "claude-own": "claude-own",
        "claude-haiku-4-5": "small",
        "opus": "tiny",
        "opus:latest": "tiny",
        "claude-opus-9:latest": "tiny",
        "small:terse": "small",
    }
    for name, model in found.items():
        card = catalog.find(name)
        assert card and card.id == model, name
    for name in ("claud", "opus-4", "Claude-x", "small:none"):
        assert catalog.find(name) is None


def test_profiles_are_cards_of_their_own(put: Put, models: Path) -> None:
    put("tiny")
    profile = Profile(name="terse", sampling=Sampling(top_k=3))
    card = found(models, choices=lambda: {"tiny": Choice(profiles=(profile,), sampling=Sampling(top_p=0.5))})
    (variant,) = card.variants
    assert (variant.id, variant.base, variant.profile) == ("tiny:terse", "tiny", "terse")
    assert (variant.sampling.top_k, variant.sampling.top_p) == (3, 0.5)
    assert variant.resident_bytes == card.resident_bytes and card.variant_of("tiny:terse") == profile


def test_a_model_of_several_ranks_counts_those_of_this_machine(put: Put, models: Path) -> None:
    put("tiny")
    own = found(models)
    chosen: dict[str, Any] = {"choices": lambda: {"tiny": Choice(ranks=2, draft_model="x")}}
    both, one = found(models, **chosen), found(models, **chosen, ranks_here=lambda ranks: 1)
    assert (both.ranks, both.draft_model, one.ranks) == (2, "", 2)
    assert 0 < own.undivided_bytes < own.resident_bytes
    assert both.resident_bytes == 2 * one.resident_bytes
    assert own.resident_bytes <= both.resident_bytes <= own.resident_bytes + own.undivided_bytes + 2
    assert one.kv_bytes_per_token * 2 == own.kv_bytes_per_token
