"""What a model's self-test found, in a few words and as an explanation, for the admin and the playground."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from inference.core.model_card import Finding

Tone = Literal["", "green", "grey", "amber", "red"]


class SelfTestSummary(Struct, frozen=True, kw_only=True):
    """A few words, the tone that colours them, and sentences about them; empty before the first test."""

    text: str = ""
    tone: Tone = ""
    texts: tuple[str, ...] = ()


class _Limit(Struct, frozen=True):
    """What works less, a sentence that explains it, and whether it is a fault: other models just lack it."""

    text: str
    why: str = ""
    is_fault: bool = False


NOT_TESTED = SelfTestSummary()
_LIMITS = {
    "tools": _Limit(
        "without tools",
        "It answers questions as usual. It cannot use tools, which are functions that a model may call.",
    ),
    "roles": _Limit("without a system prompt", "A chat with a system prompt fails with this model."),
    "batch": _Limit("one answer at a time", "Several questions at once are answered one after another."),
    "prefixes": _Limit(
        "without a cache on disk", "After a restart, long chats are read again from their beginning."
    ),
    "kv_cache": _Limit(
        "with a whole KV cache", "Long chats take more memory than they would with a quantised cache."
    ),
    "stops": _Limit("answers may not end", "Set a maximum length, or press Stop.", is_fault=True),
    "chat": _Limit("long chats may fail", "Start a new chat when an answer fails.", is_fault=True),
    "tokenizer": _Limit(
        "some characters are lost", "Unusual characters in a text may change.", is_fault=True
    ),
}
_OTHER = _Limit("with limits")
_BROKEN = {"chat": "Cannot chat", "tokenizer": "Changes text"}  # where the self-test is red
_PROMPTED = "the system message describes them"  # in the text of such a finding
_WITH_PROMPTED = _Limit(
    "without tools of its own",
    "It answers questions as usual. Tools, functions that a model may call, are described to it in its "
    "prompt, and it calls them less reliably than models that were made for it.",
)


def summary(findings: Iterable[Finding] | None) -> SelfTestSummary:
    """The summary of these findings, of which green ones say nothing; None where there was no test."""
    if findings is None:
        return NOT_TESTED
    found = {finding.about: finding for finding in findings if finding.light != "green"}
    if not found:
        return SelfTestSummary(text="Works", tone="green")
    limits = [_limit(finding) for finding in found.values()]
    pairs = zip(found.values(), limits, strict=True)
    texts = tuple(text for finding, limit in pairs for text in (finding.text, limit.why) if text)
    if broken := next((f for f in found.values() if f.light == "red" and f.about in _BROKEN), None):
        return SelfTestSummary(text=_BROKEN[broken.about], tone="red", texts=texts)
    limited = ", ".join(dict.fromkeys(limit.text for limit in limits))
    tone: Tone = "amber" if any(limit.is_fault for limit in limits) else "grey"
    return SelfTestSummary(text=f"Works, {limited}", tone=tone, texts=texts)


def _limit(finding: Finding) -> _Limit:
    if finding.about == "tools" and finding.light == "amber" and _PROMPTED in finding.text:
        return _WITH_PROMPTED
    return _LIMITS.get(finding.about, _OTHER)
