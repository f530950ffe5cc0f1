"""How often drafted tokens are right, from the drafts so far."""

_BOUNDS = (2, 4, 8, 16)  # match lengths up to these are counted together, and all longer ones
FROM_MODEL = 0  # the match length of drafts that a draft model made
_DEFAULT_RATES = (0.4, 0.6, 0.75, 0.85, 0.9, 0.7)  # before any draft, by match length; last, of a model's
_PRIOR_TOKENS = 4.0  # how many tokens the prior counts as
_DECAY = 0.9  # of older counts, for each draft


class Acceptance:
    """Rates of accepted tokens by the length of the match; `prior` are those of other rows.

    A rate is the probability that a drafted token is right if all before it were.
    """

    def __init__(self, prior: "Acceptance | None" = None) -> None:
        self._prior = prior
        self._tested = [0.0] * len(_DEFAULT_RATES)
        self._accepted = [0.0] * len(_DEFAULT_RATES)

    def rate(self, length: int) -> float:
        return self._rate(_group(length))

    def record(self, length: int, drafted: int, accepted: int) -> None:
        """Count a draft for a match of this length."""
        group = _group(length)
        tested = min(drafted, accepted + 1)  # what follows the first wrong token was not tested
        self._tested[group] = self._tested[group] * _DECAY + tested
        self._accepted[group] = self._accepted[group] * _DECAY + accepted
        if self._prior:
            self._prior.record(length, drafted, accepted)

    def _rate(self, group: int) -> float:
        prior = self._prior._rate(group) if self._prior else _DEFAULT_RATES[group]
        return (self._accepted[group] + _PRIOR_TOKENS * prior) / (self._tested[group] + _PRIOR_TOKENS)


def expected_tokens(rate: float, drafted: int) -> float:
    """How many of so many drafted tokens will be accepted on average."""
    if rate >= 1:
        return float(drafted)
    return float(rate * (1 - rate**drafted) / (1 - rate))


def _group(length: int) -> int:
    return len(_BOUNDS) + 1 if length == FROM_MODEL else sum(length > bound for bound in _BOUNDS)
