"""A whole site on a real socket whose models are FakeRunners: `python -m tests.api.openai.served`.

It prints its address once it listens. Addresses below /test/ do what no endpoint of ours does: fail after
the first byte, count without a pause, and send for ever.
"""

import os
from collections.abc import AsyncGenerator
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "mlxsite.settings"

from mlxsite.asgi import application  # isort: skip - Django needs its settings' name first
from django.conf import settings
from django.core.management import call_command

from inference.core.data_folder import DATABASE
from inference.core.errors import ContextLengthExceeded, QueueFull, WorkerDied
from inference.core.events import Accepted, Embedded, Event, Finished, Reranked, Tokenized, Usage
from inference.core.requests import (
    DetokenizeRequest,
    EmbeddingRequest,
    Request,
    RerankRequest,
    TokenizeRequest,
)
from inference.serving import runtime
from mlxsite.server import StreamServer
from tests.fakes import FakeCatalog, FakeRunner, card, fake_pool

SCRIPTS = {
    "tiny": FakeRunner(("Hello", " there")),
    "slow": FakeRunner(["word "] * 2000, delay_s=0.01),
    "late": FakeRunner(("Hello", " there"), delay_s=0.8),
    "silent": FakeRunner(("never",), delay_s=600),
    "long": FakeRunner(["x" * 20_000] * 20_000),
    "strict": FakeRunner(refuse_with=ContextLengthExceeded("Too long.", param="messages")),
    "full": FakeRunner(refuse_with=QueueFull("Busy.", retry_after=2)),
    "broken": FakeRunner(("Hello",), fail_with=WorkerDied("The model's process ended.")),
}
_LOADS = 1000  # more than the tests of one site cause; each takes a runner


class ScriptedRunner(FakeRunner):
    """Answers each model from its own script."""

    async def submit(self, request: Request, owner: str = "") -> AsyncGenerator[Event]:
        if isinstance(request, EmbeddingRequest | RerankRequest | TokenizeRequest | DetokenizeRequest):
            yield Accepted(prompt_tokens=3)
            yield _outcome(request)
            yield Finished(usage=Usage(prompt_tokens=3))
            return
        async for event in SCRIPTS[request.model].submit(request):
            yield event


def _outcome(request: EmbeddingRequest | RerankRequest | TokenizeRequest | DetokenizeRequest) -> Event:
    if isinstance(request, RerankRequest):
        return Reranked(scores=(0.5,) * len(request.documents))
    if isinstance(request, EmbeddingRequest):
        return Embedded(vectors=(bytes(8),) * len(request.inputs))
    count = request.of.answers // request.of.n if isinstance(request, TokenizeRequest) else 1
    listed = count if getattr(request, "with_pieces", False) else 0
    return Tokenized(
        tokens=((1, 2),) * count,
        texts=("ab",) * count,
        context_length=8,
        pieces=((b"a", b"b"),) * listed,
        entries=(("a", "b"),) * listed,
    )


async def site(scope: Any, receive: Any, send: Any) -> None:
    if not scope["path"].startswith("/test/"):
        await application(scope, receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"begun", "more_body": True})
    if scope["path"] == "/test/late-error":
        raise RuntimeError("after the first byte")
    if scope["path"] == "/test/numbers":
        for number in range(40_000):
            await send({"type": "http.response.body", "body": b"%d\n" % number * 9, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        return
    while True:
        await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})


def main() -> None:
    cards = [card(name, resident_bytes=1) for name in SCRIPTS]
    cards.append(card("vectors", resident_bytes=1, kind="embedding"))
    cards.append(card("reranker", resident_bytes=1, kind="rerank"))
    pool = fake_pool([ScriptedRunner() for _ in range(_LOADS)], *cards)
    if not (settings.CONFIG.data_dir / DATABASE).exists():  # a test gives it a copy
        call_command("migrate", verbosity=0)
    with runtime.use_pool(pool, models=FakeCatalog(*cards)):  # type: ignore[arg-type]
        server = StreamServer(
            site,
            host="127.0.0.1",
            port=0,
            max_body_bytes=2**20,
            picture_body_bytes=2 * 2**20,
            on_ready=lambda: print(server.address, flush=True),
            stall_s=1.5,
            arrival_s=2.0,
            connections_of_one=int(os.environ.get("CONNECTIONS_OF_ONE", "1024")),
            trusted_proxies=settings.CONFIG.trusted_proxies,
        )
        server.run()


if __name__ == "__main__":
    main()
