"""An agent at work: one conversation with tools that grows for 20 turns, as coding agents have them.

Each turn sends the whole conversation so far, with the result of the tool that the last turn called. The
conversation is fixed: an answer is read and dropped, and a prepared one takes its place in the next turn. A
server that keeps prefixes computes only what is new.

There are two conversations. The first has its tools and calls in the fields of the API. If the template of
a model has no place for tools, servers differ: some describe them in the prompt and others leave them out,
so their prompts have different lengths. The second has tools, calls and results as text, as Cline and aider
send them, so all servers compute the same prompts.
"""

import json
from collections.abc import Sequence
from typing import Any

from inference.management.bench import prompts
from inference.management.bench.bench import Bench, report_progress
from inference.management.bench.figures import Figure, figure
from inference.management.bench.servers import Server
from inference.management.bench.timed_answer import TimedAnswer

_TURNS, _QUICK_TURNS = 20, 3
_SYSTEM_WORDS, _RESULT_WORDS = 400, 60
_TOKENS = 16
_NAMES = ("read_file", "write_file", "list_files", "run_command", "search")
_TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": f"{name.replace('_', ' ').capitalize()} in the project and return the result.",
            "parameters": {
                "type": "object",
                "properties": {"path": {"type": "string"}, "text": {"type": "string"}},
                "required": ["path"],
            },
        },
    }
    for name in _NAMES
]
Conversation = tuple[TimedAnswer, ...]


def measure(bench: Bench) -> list[Figure]:
    turns = _QUICK_TURNS if bench.is_quick else _TURNS
    return [*_measure(bench, "tool calls", tool_calls(turns)), *_measure(bench, "text", texts(turns))]


def _measure(bench: Bench, form: str, bodies: Sequence[dict[str, Any]]) -> list[Figure]:
    had: dict[str, list[Conversation | None]] = {server.name: [] for server in bench.servers}
    notes: list[str] = []
    for _ in bench.repetitions(f"agents, {form}"):
        salted = with_salt(bodies)
        for server in bench.servers:
            answers, remarks = _converse(bench, server, salted)
            had[server.name].append(answers)
            notes += remarks
    theirs = bench.theirs.name if bench.theirs else ""
    kinds = (
        ("first token, first turn", "s", lambda of: of[0].first_after_s),
        (f"first token, median of turns 2 to {len(bodies)}", "s", _later_wait),
        ("prompt tokens computed a turn, after the first", "", _computed),
        (f"all {len(bodies)} turns", "s", lambda of: of[-1].ended - of[0].sent),
    )
    return [
        figure(
            "agents",
            f"{form}: {what}",
            unit,
            [value(of) if of else None for of in had["ours"]],
            [value(of) if of else None for of in had.get(theirs, [])],
            against=theirs,
            notes=notes,
        )
        for what, unit, value in kinds
    ]


def tool_calls(turns: int) -> list[dict[str, Any]]:
    """The requests of an agent that uses the API's fields: each adds a call and its result."""
    messages = _beginning()
    bodies = []
    for number in range(turns):
        bodies.append(_body(messages) | {"tools": _TOOLS})
        name, arguments = _call(number)
        call = f"call_{number:05d}"
        function = {"name": name, "arguments": json.dumps(arguments)}
        messages += [
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"id": call, "type": "function", "function": function}],
            },
            {"role": "tool", "tool_call_id": call, "content": prompts.text(_RESULT_WORDS)},
        ]
    return bodies


def texts(turns: int) -> list[dict[str, Any]]:
    """The requests of an agent that writes its tools and calls as text."""
    messages = _beginning(json.dumps([tool["function"] for tool in _TOOLS]))
    bodies = []
    for number in range(turns):
        bodies.append(_body(messages))
        name, arguments = _call(number)
        called = json.dumps({"name": name, "arguments": arguments})
        messages += [
            {"role": "assistant", "content": called},
            prompts.user(f"Result of {name}: {prompts.text(_RESULT_WORDS)}"),
        ]
    return bodies


def with_salt(bodies: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same requests with another beginning, so that no server has seen them before."""
    salt = prompts.salt()
    system = bodies[0]["messages"][0]
    system = system | {"content": f"{salt}: {system['content']}"}
    return [body | {"messages": [system, *body["messages"][1:]]} for body in bodies]


def _beginning(tools: str = "") -> list[dict[str, Any]]:
    rules = f"you are a careful agent. {prompts.text(_SYSTEM_WORDS)}"
    if tools:
        rules += f"\nCall one of these tools with a line of JSON: {tools}"
    return [
        {"role": "system", "content": rules},
        prompts.user("Find out why the test fails, and mend it."),
    ]


def _body(messages: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"messages": list(messages), "max_tokens": _TOKENS, "temperature": 0}


def _call(number: int) -> tuple[str, dict[str, str]]:
    return _NAMES[number % len(_NAMES)], {"path": f"src/part_{number}.py"}


def _converse(
    bench: Bench, server: Server, bodies: Sequence[dict[str, Any]]
) -> tuple[Conversation | None, list[str]]:
    """The answers to all turns, one after the other; None if one has failed."""
    answers: list[TimedAnswer] = []
    for number, body in enumerate(bodies, start=1):
        answered = server.ask(bench.models.first, [body])
        if not answered.answers:
            return None, answered.failure_notes(f"{server.name}, turn {number}")
        answers += answered.answers
    report_progress(f"agents: {len(answers)} turns of {server.name}")
    sizes = f"prompts of {answers[0].prompt_tokens} to {answers[-1].prompt_tokens} tokens"
    return tuple(answers), [*answered.notes(server.name), f"{server.name}: {sizes}"]


def _later_wait(of: Conversation) -> float:
    waits = sorted(answer.first_after_s for answer in of[1:])
    return waits[len(waits) // 2]


def _computed(of: Conversation) -> float | None:
    """None for a server that does not say how many tokens its prompts have."""
    if not all(answer.prompt_tokens for answer in of):
        return None
    return sum(answer.prompt_tokens - answer.cached_tokens for answer in of[1:]) / (len(of) - 1)
