from typing import Any

import msgspec

from inference.admin import wording
from inference.core.model_card import ModelCard
from inference.core.pool_state import ContextFit, ModelState, PoolSnapshot, ResidentModel
from inference.serving.active_requests import StreamView
from inference.serving.memory_breakdown import Bar
from tests.admin.dashboard.samples import sample
from tests.each import each
from tests.fakes import card

GB = 10**9


@each("name", ["", "tiny", "x" * 80])
def test_a_short_name_stays_whole(name: str) -> None:
    assert wording.short(name) == name


def test_a_long_name_keeps_its_ends() -> None:
    shown = wording.short(f"begin{'x' * 400}end")
    assert len(shown) == 80 and shown.startswith("beginx") and shown.endswith("xend") and "…" in shown


def stream(**facts: Any) -> StreamView:
    usual: dict[str, Any] = {
        "id": "1",
        "model": "tiny",
        "principal_kind": "user",
        "principal": "ann",
        "kind": "chat",
        "phase": "decode",
        "began_at": 100.0,
    }
    return StreamView(**(usual | facts))


@each(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (7300, "2 h"),
        (86_400, "1 day"),
        (200_000, "2 days"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert wording.duration(seconds) == text


@each(("amount", "text"), [(0, "–"), (1, "1 MB"), (42 * 10**6, "42 MB"), (4_600_000_000, "4.6 GB")])
def test_sizes(amount: int, text: str) -> None:
    assert wording.size(amount) == text


@each(
    ("kind", "name", "text"),
    [
        ("user", "ann", "ann"),
        ("key", "mlx-ab12", "key laptop"),
        ("key", "mlx-gone", "key mlx-gone…"),
        ("user", "mlx-ab12", "mlx-ab12"),
        ("key", "", "the operator's key"),
        ("local", "", "this machine"),
    ],
)
def test_the_caller(kind: str, name: str, text: str) -> None:
    keys = {"mlx-ab12": "laptop"}
    assert wording.caller(stream(principal_kind=kind, principal=name), keys) == text


@each(
    ("phase", "done", "total", "text"),
    [
        ("queued", 0, 0, "queued"),
        ("queued", 2, 3, "queued, position 2 of 3"),
        ("loading", 40, 100, "loading the model, 40 %"),
        ("prefill", 0, 0, "processing the prompt"),
        ("prefill", 512, 2048, "processing the prompt, 512 of 2,048 tokens"),
        ("decode", 0, 0, "generating"),
        ("paused", 0, 0, "paused until there is memory for the rest"),
        ("over", 0, 0, "finishing"),
    ],
)
def test_what_a_request_does(phase: str, done: int, total: int, text: str) -> None:
    assert wording.status(stream(phase=phase, done=done, total=total)) == text


@each(
    ("now", "alone", "text"),
    [(8192, 8192, "8,192"), (2000, 8192, "2,000 now, 8,192 alone"), (0, 8192, "8,192 alone")],
)
def test_the_context_that_fits(now: int, alone: int, text: str) -> None:
    assert wording.context_that_fits(fit(now=now, alone=alone)) == text
    assert wording.context_that_fits(fit(now=0, alone=0)) == "none, it is too large"


@each(
    ("context", "limit", "text"),
    [
        (8192, "model", "8,192"),
        (600, "memory", "600 of 8,192: memory"),
        (16, "operator", "16 of 8,192: chosen"),
    ],
)
def test_the_context_and_why_it_is_not_longer(context: int, limit: Any, text: str) -> None:
    assert wording.context(fit(context=context, limited_by=limit)) == text


def fit(**changes: Any) -> ContextFit:
    usual: dict[str, Any] = {"context": 8192, "own": 8192, "limited_by": "model", "now": 8192, "alone": 8192}
    return ContextFit(**(usual | changes))


def test_a_model_says_why_it_failed_and_when_it_may_start_again() -> None:
    model = ResidentModel(id="tiny", state=ModelState.FAILED, reason="out of memory", retry_in_s=90)
    assert wording.state(card(), model) == "failed: out of memory; it may start again in 1 min"


def test_a_load_says_how_far_it_is() -> None:
    model = ResidentModel(id="tiny", state=ModelState.LOADING, loaded_percent=40)
    assert wording.state(card(), model) == "loading 40 %"
    verifying = msgspec.structs.replace(model, load_phase="verifying")
    assert wording.state(card(), verifying) == "loading 40 %, verifying batch support"


def test_a_model_that_cannot_be_served_says_why() -> None:
    model = ResidentModel(id="tiny", state=ModelState.UNLOADED)
    assert wording.state(card(problem="no weights"), model) == "cannot be served: no weights"


OFF = card(problem="an operator has switched it off", is_enabled=False)
BROKEN = card(problem="no weights")


@each(
    ("of", "state", "text", "tone"),
    [
        (BROKEN, ModelState.UNLOADED, "cannot be served: no weights", "failed"),
        (OFF, ModelState.UNLOADED, "disabled", "unloaded"),
        (OFF, ModelState.FAILED, "disabled", "unloaded"),
        (
            OFF,
            ModelState.DRAINING,
            "draining; accepts no further requests: an operator has switched it off",
            "draining",
        ),
        (BROKEN, ModelState.BUSY, "busy; accepts no further requests: no weights", "busy"),
        (card(), ModelState.FAILED, "failed", "failed"),
        (None, ModelState.READY, "ready", "ready"),
    ],
)
def test_a_problem_hides_no_state_and_a_switch_is_no_failure(
    of: ModelCard | None, state: ModelState, text: str, tone: str
) -> None:
    model = ResidentModel(id="tiny", state=state)
    assert (wording.state(of, model), wording.tone(of, model)) == (text, tone)


def test_the_queue_says_how_many_wait_and_since_when() -> None:
    streams = [stream(phase="queued", began_at=88), stream(began_at=1)]
    text = wording.queue([*streams, stream(phase="loading", began_at=95)], 64, 100.0)
    assert text == "2 requests are waiting for a model, the longest for 12 s; the limit is 64."


def test_the_queue_says_how_accounts_share_the_streams() -> None:
    streams = [
        stream(account="ann"),
        stream(phase="queued", account="ann"),
        stream(phase="queued", account="bo"),
    ]
    assert wording.queue(streams, 64, 100.0).endswith(
        "Streams and waiting requests of each account: ann 1 and 1, bo 0 and 1."
    )
    many = [stream(phase="queued", account=str(number)) for number in range(9)]
    assert wording.queue(many, 64, 100.0).endswith("5 0 and 1, and 3 more.")


def test_an_empty_queue_says_so() -> None:
    assert wording.queue([stream()], 64, 0) == "No requests are waiting."


def test_short_memory_is_reported() -> None:
    bar = Bar(weights=2 * GB, kv=0, caches=0, others=0, free=GB, limit=3 * GB)
    short = PoolSnapshot(limit_bytes=3 * GB, pressure="evicting")
    text = "Models hold 2.0 GB of 3.0 GB. The system is short of memory: idle models are unloaded."
    assert wording.memory(bar, short) == text


def test_the_hour_has_a_text_for_screen_readers() -> None:
    samples = [sample(held=3 * GB, rate=50), sample(held=GB, rate=7)]
    text = wording.hour(samples, GB)
    assert text == "Now 1.0 GB and 7 tokens/s; in the last hour at most 3.0 GB and 50 tokens/s."
    assert "starts" in wording.hour([], GB)


@each(
    ("held", "now", "most"),
    [(2 * GB, "2.0 GB", "3.0 GB"), (4 * GB, "4.0 GB", "4.0 GB"), (0, "nothing", "3.0 GB")],
)
def test_what_is_held_now_is_not_the_last_samples(held: int, now: str, most: str) -> None:
    text = wording.hour([sample(held=3 * GB)], held)
    assert text.startswith(f"Now {now} and") and f"at most {most}" in text


def test_the_hour_and_the_bar_say_one_figure() -> None:
    bar = Bar(weights=42 * 10**6, kv=0, caches=0, others=0, free=GB, limit=GB)
    assert "Models hold 42 MB" in wording.memory(bar, PoolSnapshot(limit_bytes=GB))
    assert wording.hour([sample()], bar.held).startswith("Now 42 MB and")
