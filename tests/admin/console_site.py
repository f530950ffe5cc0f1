"""The site with scripted models and a filled admin: `python -m tests.admin.console_site PORT pictured`.

The operator signs in as OPERATOR.
"""

import math
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

OPERATOR, PASSWORD = "olivia", "olivia and her cat"
QWEN, LLAMA = "mlx-community/Qwen3-8B-4bit", "mlx-community/Llama-3.2-3B-Instruct-4bit"
NOW = datetime.now(UTC)
ASKED: tuple[dict[str, Any], ...] = (
    {"prompt_tokens": 1840, "cached_tokens": 1200, "completion_tokens": 410, "finish": "stop"},
    {"prompt_tokens": 12_345, "completion_tokens": 600, "finish": "length", "loading_ms": 2100},
    {"kind": "title", "prompt_tokens": 210, "completion_tokens": 8, "finish": "stop"},
    {"prompt_tokens": 64_000, "model": LLAMA, "error": "context_length_exceeded"},
    {"kind": "completion", "prompt_tokens": 128, "model": LLAMA, "has_left": True},
)
EVENTS = (
    ("loaded", f"loaded {QWEN} in 2.1 s"),
    ("evicted", f"evicted mlx-community/gemma-3-4b-it-4bit to make room for {QWEN}"),
    ("load_failed", "could not load mlx-community/Phi-4-mini-instruct-4bit: its weights are incomplete"),
)
UPSTREAMS = (("gpu1", "vllm", "qwen3-32b"), ("gpu2", "vllm", "qwen3-32b"), ("old-mac", "mlx-lm", "small"))


def fill() -> None:
    """Rows of the last hours for the lists, and the operator."""
    from django.contrib.auth.models import User

    from inference.models import ApiKey, PoolEvent, RequestRecord, Upstream, UpstreamModel
    from inference.models.request_record import Capture

    operator = User.objects.create_superuser(OPERATOR, password=PASSWORD)
    keys = [
        ApiKey(name="editor on Olivia's laptop", owner=operator, last_used_at=NOW - timedelta(minutes=4)),
        ApiKey(name="build server", owner=operator, can_manage=True, expires_at=NOW + timedelta(days=9)),
        ApiKey(name="old laptop", owner=operator, is_revoked=True),
    ]
    for key in keys:
        key.give_secret()
        key.save()
    for number, facts in enumerate(ASKED):
        row = {"model": QWEN, "kind": "chat", "completion_tokens": 0, "cached_tokens": 0, "loading_ms": 0}
        row |= {"queued_ms": 12 * number, "prefill_ms": 640, "decode_ms": 9700}
        caller = {"principal_kind": "key", "principal": keys[0].prefix, "key": keys[0]}
        RequestRecord.objects.create(at=NOW - timedelta(minutes=7 * number), **caller | row | facts)
    for number, (kind, text) in enumerate(EVENTS):
        at = NOW - timedelta(minutes=50 - 15 * number)
        PoolEvent.objects.create(at=at, kind=kind, model=QWEN, text=text)
    use_a_day(keys[0])
    for name, engine, model in UPSTREAMS:
        made = Upstream.objects.create(name=name, base_url=f"http://{name}:8000/v1", engine=engine)
        UpstreamModel.objects.create(upstream=made, model=model, context_length=32_768)
    Upstream.objects.filter(name="old-mac").update(is_enabled=False)
    Capture.objects.create(began_by=operator, until=NOW - timedelta(hours=1), reason="a garbled answer")


def use_a_day(key: Any) -> None:
    """The usage of the last 24 hours: an editor all day, and the playground now and then."""
    from inference.models.usage_hour import UsageHour

    this_hour = NOW.replace(minute=0, second=0, microsecond=0)
    for number in range(24):
        busy = round(30 * max(0.0, math.sin(number / 4))) + 3
        facts: dict[str, Any] = {"hour": this_hour - timedelta(hours=number), "prompt_tokens": 900 * busy}
        facts |= {"cached_tokens": 600 * busy, "completion_tokens": 250 * busy, "account": OPERATOR}
        editor = {"caller_kind": "key", "key_prefix": key.prefix, "key_name": key.name}
        UsageHour.objects.create(model=QWEN, requests=busy, errors=number % 9 == 4, **editor, **facts)
        if number % 3 == 0:
            UsageHour.objects.create(model=LLAMA, requests=busy // 2 + 1, caller_kind="user", **facts)


def remember_an_hour() -> None:
    """Samples as if the site had served for an hour: two models loaded one after the other, and answers."""
    from inference.serving.usage_history import EVERY_S, KEPT, USAGE_HISTORY, Sample
    from tests.fakes import GB

    end = time.time()
    for number in range(KEPT):
        weights = int((4.6 * (number > 90) + 1.8 * (number > 420)) * GB)
        rate = max(0.0, 55 * math.sin(number / 23) + 20 * math.sin(number / 5)) * (number > 100)
        USAGE_HISTORY._samples.append(
            Sample(
                at=end - EVERY_S * (KEPT - number),
                weights=weights,
                kv=0,
                caches=0,
                others=12 * GB,
                free=48 * GB - 12 * GB - weights,
                rate=round(rate, 1),
            )  # fmt: skip
        )


if __name__ == "__main__":
    # First: it sets Django up.
    from tests.playground.fake_site import application  # isort: split

    from daphne.server import Server
    from django.conf import settings

    from tests.migrated_database import begin_with_tables
    from tests.people import hash_passwords_quickly

    os.umask(0o077)  # else the page Health warns of the folder of this site
    hash_passwords_quickly()
    begin_with_tables(settings.CONFIG.data_dir)
    fill()
    remember_an_hour()
    Server(application, endpoints=[f"tcp:port={sys.argv[1]}:interface=127.0.0.1"]).run()
