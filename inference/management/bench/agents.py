"""An agent at work: one conversation with tools that grows for 20 turns, as coding agents have them.

Each turn sends all that was said before, with the result of the tool that the last turn called. What is said
is fixed, so that every server computes the same: an answer is read and dropped, and a prepared one takes its
place in the next turn. A server that keeps prefixes computes only what is new.
"""

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
    had: dict[str, list[Conversation | None]] = {server.name: [] for server in bench.servers}
    notes: list[str] = []
    for _ in bench.repetitions("agents"):
        bodies = conversation(turns)
        for server in bench.servers:
            answers, remarks = _converse(bench, server, bodies)
            had[server.name].append(answers)
            notes += remarks
    theirs = bench.theirs.name if bench.theirs else ""
    kinds = (
        ("first token, first turn", "s", lambda of: of[0].first_after_s),
        (f"first token, median of turns 2 to {turns}", "s", _later_wait),
        ("prompt tokens computed a turn, after the first", "", _computed),
        (f"all {turns} turns", "s", lambda of: of[-1].ended - of[0].sent),
    )
    return [
        figure(
            "agents",
            what,
            unit,
            [value(of) if of else None for of in had["ours"]],
            [value(of) if of else None for of in had.get(theirs, [])],
            against=theirs,
            notes=notes,
        )
        for what, unit, value in kinds
    ]


def conversation(turns: int) -> list[dict[str, Any]]:
    """The requests of one agent: each is the one before with a call, its result and nothing else."""
    rules = f"{prompts.salt()}: you are a careful agent. {prompts.text(_SYSTEM_WORDS)}"
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": rules},
        prompts.user("Find out why the test fails, and mend it."),
    ]
    bodies = []
    for number in range(turns):
        bodies.append({"messages": list(messages), "tools": _TOOLS, "max_tokens": _TOKENS, "temperature": 0})
        name, call = _NAMES[number % len(_NAMES)], f"call_{number:05d}"
        arguments = f'{{"path": "src/part_{number}.py"}}'
        function = {"name": name, "arguments": arguments}
        messages += [
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"id": call, "type": "function", "function": function}],
            },
            {"role": "tool", "tool_call_id": call, "content": prompts.text(_RESULT_WORDS)},
        ]
    return bodies


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
