"""Limits on the tokens of an answer: a minimum length, a set of allowed tokens, banned texts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from inference.core.requests import TokenRules
from inference.worker.sampling.constraint import TokenMask, combined, only, without


@dataclass(frozen=True)
class RuleConstraint:
    """The rules of one request, as token ids."""

    min_tokens: int
    stop_ids: frozenset[int]  # all tokens that end the answer
    allowed_ids: frozenset[int]  # those that end it, too; empty: any
    banned: tuple[tuple[int, ...], ...]  # sequences of tokens that may not occur

    @classmethod
    def of(
        cls, rules: TokenRules, stop_ids: frozenset[int], encode: Callable[[str], list[int]]
    ) -> "RuleConstraint | None":
        """The constraint of these rules; None if they allow everything. `encode` adds no special tokens."""
        # A word is written with a space before it and, at the beginning of a text, without.
        spelt = {tuple(encode(text)) for word in rules.bad_words for text in (word, f" {word.lstrip()}")}
        spelt |= {(token,) for token in rules.banned_ids}
        banned = tuple(sorted(tokens for tokens in spelt if tokens))
        if not (rules.min_tokens or rules.allowed_ids or banned):
            return None
        allowed = stop_ids.union(rules.allowed_ids) if rules.allowed_ids else frozenset()
        return cls(rules.min_tokens, stop_ids, allowed, banned)

    def start(self, answered: Sequence[int] = ()) -> "RuleMatcher":
        matcher = RuleMatcher(self)
        for token in answered:
            matcher.consume(token)
        return matcher


@dataclass
class RuleMatcher:
    """One answer under these rules."""

    rules: RuleConstraint
    _tokens: list[int] = field(default_factory=list)

    def consume(self, token: int) -> None:
        self._tokens.append(token)

    def fork(self) -> "RuleMatcher":
        return RuleMatcher(self.rules, list(self._tokens))

    def allowed_tokens(self, vocabulary: int) -> TokenMask | None:
        rules = self.rules
        is_short = len(self._tokens) < rules.min_tokens
        return combined(
            [
                only(rules.allowed_ids, vocabulary) if rules.allowed_ids else None,
                without(self._banned_next(), vocabulary) if rules.banned else None,
                without(rules.stop_ids, vocabulary) if is_short else None,
            ]
        )

    def _banned_next(self) -> tuple[int, ...]:
        """The last token of each banned sequence whose others are the latest tokens."""
        return tuple(
            sequence[-1]
            for sequence in self.rules.banned
            if len(sequence) == 1 or tuple(self._tokens[-len(sequence) + 1 :]) == sequence[:-1]
        )
