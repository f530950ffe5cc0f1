"""Runs a client's seven cases against a site, and prints what each of them got as one line of JSON.

`python -m tests.clients.live.programs.run URL CLIENT...`; standard input has a JSON list of programs that
run first. A client is a module, or an object of one as `module:NAME`. It has, as functions or as coroutine
functions:

- `answer(model, prompt)`: the text of a whole answer.
- `pieces(prompt)`: a generator of a stream's texts; closing it is the client's way of leaving a stream.
- `tool_loop()`: the arguments of a call of `set_light`, and the text that follows on its result.
- `structured()`: an answer of the form `{"on": true}`, as the client reads it.
"""

import asyncio
import io
import json
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from importlib import import_module
from inspect import isasyncgen, iscoroutine
from typing import Any

import httpx

from tests.clients.live.programs.case import ENDLESS, HELLO, LONG, MODEL, URL

LOOP = asyncio.new_event_loop()


def settle(value: Any) -> Any:
    return LOOP.run_until_complete(value) if iscoroutine(value) else value


async def collected(stream: Any) -> list[str]:
    texts: list[Any] = [text async for text in stream] if isasyncgen(stream) else list(stream)
    return texts


def is_busy() -> bool:
    workers = httpx.get(f"{URL}/health", timeout=30).json()["workers"]
    return any(worker["state"] == "busy" for worker in workers)


async def cancel(stream: Any) -> dict[str, Any]:
    """Leave a stream after its first text, and wait until the server does nothing."""
    if isasyncgen(stream):
        await anext(stream)
        was_busy = is_busy()
        await stream.aclose()
    else:
        next(stream)
        was_busy = is_busy()
        stream.close()
    began = time.monotonic()
    while is_busy() and time.monotonic() - began < 10:
        await asyncio.sleep(0.05)
    return {"was_busy": was_busy, "busy_for_s": time.monotonic() - began}


def error(ask: Callable[[], Any]) -> dict[str, Any]:
    """The names of the error's class and its bases, its message, and its code if it has one."""
    try:
        settle(ask())
    except Exception as error:
        names = [kind.__name__ for kind in type(error).__mro__]
        return {"classes": names, "message": str(error), "code": getattr(error, "code", None)}
    return {"classes": [], "message": "no error", "code": None}


def cases(client: Any) -> dict[str, Callable[[], Any]]:
    return {
        "answer": lambda: settle(client.answer(MODEL, HELLO)),
        "stream": lambda: settle(collected(client.pieces(HELLO))),
        "tool_loop": lambda: settle(client.tool_loop()),
        "structured": lambda: settle(client.structured()),
        "cancel": lambda: settle(cancel(client.pieces(ENDLESS))),
        "unknown_model": lambda: error(lambda: client.answer("nobody", HELLO)),
        "too_long": lambda: error(lambda: client.answer(MODEL, LONG)),
    }


def outcome(case: Callable[[], Any]) -> dict[str, Any]:
    try:
        return {"value": case()}
    except Exception:
        return {"error": traceback.format_exc()}


def printed_by(example: str) -> str:
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(example, {"__name__": "example"})  # noqa: S102
    return printed.getvalue()


def load(name: str) -> Any:
    module, _, attribute = name.partition(":")
    loaded = import_module(f"tests.clients.live.programs.{module}")
    return getattr(loaded, attribute) if attribute else loaded


def main() -> None:
    asyncio.set_event_loop(LOOP)
    found: dict[str, Any] = {
        "page": [outcome(partial(printed_by, example)) for example in json.loads(sys.stdin.read())]
    }
    for name in sys.argv[2:]:
        found[name] = {case: outcome(run) for case, run in cases(load(name)).items()}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
