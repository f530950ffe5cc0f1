"""Edits of a text of about 400 tokens, with drafts from its first version and without."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from inference.management.bench import prompts
from inference.management.bench.bench import Bench, report_progress
from inference.management.bench.figures import Aim, Figure, figure
from inference.management.bench.streams import decode_rates, notes
from inference.management.bench.timed_answer import AnswerRound

_COUNTS, _QUICK_COUNTS = (1, 4, 8), (1,)
_TOKENS, _QUICK_TOKENS = 400, 48
_AIMS = {1: Aim(sign=">=", value=2.0), 8: Aim(sign=">=", value=1.3)}
_AIM_AGAINST_OTHERS = Aim(sign=">=", value=2.0)
_PLAIN = "without drafts"
_NEW_NAME = "Eleanor"
_NAMES = ("Margaret", "Beatrice", "Caroline", "Dorothy", "Frances", "Harriet", "Josephine", "Rosalind")
_TEXT = (
    "{name} lived in a small white house at the edge of the village. Every morning {name} walked down "
    "the hill to the harbour, bought two loaves of bread from the old baker, and fed the gulls that "
    "waited on the wall. On Mondays {name} painted the boats. On Tuesdays {name} wrote long letters to "
    "a brother in Lisbon, who had not come home for eleven years. On Wednesdays {name} mended nets with "
    "the fishermen, and they paid in mackerel and in stories. The stories were better than the fish.\n\n"
    "One autumn a storm took the roof off the chapel and carried it across the bay. The people of the "
    "village stood in the rain and looked at the open walls. Nobody knew what to do, so {name} went up "
    "the ladder with a hammer and a bag of nails. By noon there were six of them on the beams, and by "
    "evening there were twenty. The baker brought soup. The priest held the lanterns. When the moon "
    "rose over the water, the first boards were in their places.\n\n"
    "The next morning {name} sent the children to look for the old roof. They found the bell in a field "
    "of barley and half of the weathercock in a tree. The bell was cracked, but the smith said that a "
    "cracked bell is better than none, and hung it from the new beam with a chain from the harbour. When "
    "{name} rang it for the first time, the dogs of the whole village answered, and the gulls rose from "
    "the wall and did not come back until the evening.\n\n"
    "It took them nine days. On the last day a ship came in from the south, and a tall man with a grey "
    "beard walked up the hill with a trunk on his shoulder. He stopped below the ladder and asked for a "
    "drink of water. {name} looked down at him for a long time. Then {name} climbed down, took the "
    "trunk from his shoulder, and told him that the kettle was on."
)


def measure(bench: Bench) -> Iterator[Figure]:
    counts = _QUICK_COUNTS if bench.is_quick else _COUNTS
    for count in counts:
        yield from _at(bench, count)


def _at(bench: Bench, count: int) -> list[Figure]:
    """The figures of so many edits at once.

    The prediction of each is the text as it was before the edit: its answer with the old name. So it is right
    but for the name, also where a small model does not copy its prompt word by word.
    """
    tokens = _QUICK_TOKENS if bench.is_quick else _TOKENS
    report_progress(f"edit, {count} at once: the text before the edit")
    plain = [edit_of(name, tokens) | {"speculative": False} for name in _NAMES[:count]]
    edited = bench.ours.ask(bench.models.first, plain)
    texts = [answer.text for answer in edited.answers]
    predicted = [
        edit_of(name, tokens) | {"prediction": {"type": "content", "content": text.replace(_NEW_NAME, name)}}
        for name, text in zip(_NAMES, texts, strict=False)
    ]
    asks: dict[str, Callable[[], AnswerRound]] = {
        "ours": lambda: bench.ours.ask(bench.models.first, predicted),
        _PLAIN: lambda: bench.ours.ask(bench.models.first, plain),
    }
    if theirs := bench.theirs:
        asks[theirs.name] = lambda: theirs.ask(bench.models.first, _without_ours(plain))
    rounds: dict[str, list[AnswerRound]] = {name: [] for name in asks}
    for _ in bench.repetitions(f"edit, {count} at once"):
        for name, ask in asks.items():
            rounds[name].append(ask())
    return [_figure(rounds, name, count) for name in rounds if name != "ours"]


def _figure(rounds: Mapping[str, list[AnswerRound]], against: str, count: int) -> Figure:
    same = sum(
        before.text == answer.text
        for ours, other in zip(rounds["ours"], rounds[_PLAIN], strict=True)
        for answer, before in zip(ours.answers, other.answers, strict=False)
    )
    total = sum(len(one.answers) for one in rounds["ours"])
    remarks = notes({"ours": rounds["ours"], against: rounds[against]}, 1)
    remarks += [f"{total - same} of {total} texts differ from those without drafts"] * (same < total)
    return figure(
        "edit",
        f"{count} edit{'s' if count > 1 else ''}, decode",
        "tok/s",
        decode_rates(rounds["ours"]),
        decode_rates(rounds[against]),
        against=against,
        aim=_AIMS.get(count) if against == _PLAIN else _AIM_AGAINST_OTHERS,
        notes=remarks,
    )


def edit_of(name: str, tokens: int) -> dict[str, Any]:
    """A request to change one name in a text."""
    text = _TEXT.format(name=name)
    prompt = f"Repeat the following text exactly, but write {_NEW_NAME} instead of {name}.\n\n{text}"
    return {"messages": [prompts.user(prompt)], "max_tokens": tokens, "temperature": 0}


def _without_ours(bodies: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The same requests without fields that only this server has."""
    return [{name: value for name, value in body.items() if name != "speculative"} for body in bodies]
