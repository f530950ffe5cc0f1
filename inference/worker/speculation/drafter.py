"""The drafts of one row: what followed its latest tokens before, in prompt, prediction or answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from inference.worker.speculation.acceptance import FROM_MODEL, Acceptance
from inference.worker.speculation.prompt_lookup import BREAK, LONGEST, NgramIndex

_TOKENS_PER_STEP = 4096  # of a prompt that are indexed in one step: about a millisecond


@dataclass(frozen=True)
class Draft:
    """Tokens that may come next in one row."""

    tokens: tuple[int, ...] = ()
    match: int = FROM_MODEL  # the length of the match that they followed, unless a model drafted them
    rate: float = 0.0  # the probability that each is right if all before it are
    is_predicted: bool = False  # whether they are from the request's own prediction

    def first(self, count: int) -> "Draft":
        """The same without the tokens after so many."""
        return replace(self, tokens=self.tokens[:count])


NO_DRAFT = Draft()


class Drafter:
    """Drafts for one row. `answered` are the tokens of its answer so far, if it is computed again.

    `tokens_left` says how many tokens its answer may still have; None is no limit.

    The index has the prompt, then the prediction, then the answer. The prediction and the answer both follow
    the prompt's last tokens, so that the answer's beginning is looked for at that of the prediction.
    """

    def __init__(
        self,
        prompt: Sequence[int],
        prediction: Sequence[int] = (),
        acceptance: Acceptance | None = None,
        tokens_left: Callable[[], int] | None = None,
        answered: Sequence[int] = (),
    ) -> None:
        self._tokens_left = tokens_left
        tail = list(prompt[-LONGEST:])
        predicted = [BREAK, *tail, *prediction, BREAK, *tail] if prediction else []
        begin = len(prompt) + 1 + len(tail)
        self._predicted = range(begin, begin + len(prediction))
        self._index = NgramIndex()
        self._text = [*prompt, *predicted, *answered]
        self._seen = len(prompt) + len(answered)  # tokens of the row that are in the text or the index
        self.acceptance = Acceptance(acceptance)

    def catch_up(self, tokens: Sequence[int], following: int | None = None) -> bool:
        """Index what is new in the row; False if some of it is left for later.

        All of its tokens are `tokens`, and then the one `following` them, if that is known.
        """
        if len(self._index) < len(self._text):
            self._index.extend(self._text[len(self._index) : len(self._index) + _TOKENS_PER_STEP])
            if len(self._index) < len(self._text):
                return False
            self._text = []
        if len(tokens) > self._seen:
            self._index.extend(tokens[self._seen :])
            self._seen = len(tokens)
        if following is not None and len(tokens) == self._seen:
            self._index.extend((following,))
            self._seen += 1
        return True

    def draft(self, count: int, *, skipped: int = 0) -> Draft:
        """At most `count` tokens that may follow, without the first `skipped` of them."""
        count = self.limited(count)
        match = self._index.find() if count > 0 else None
        if not match:
            return NO_DRAFT
        tokens = self._index.following(match, count + skipped)[skipped:]
        is_predicted = match.start in self._predicted
        return Draft(tuple(tokens), match.length, self.acceptance.rate(match.length), is_predicted)

    def limited(self, count: int) -> int:
        """So many drafted tokens, or fewer where the answer may not have them."""
        return min(count, self._tokens_left() - 1) if self._tokens_left else count  # the latest token is one

    def of_model(self, tokens: Sequence[int]) -> Draft:
        """What a draft model has drafted, or may draft."""
        return Draft(tuple(tokens), FROM_MODEL, self.acceptance.rate(FROM_MODEL))

    def record(self, draft: Draft, accepted: int) -> None:
        """Count a draft of which so many tokens were right."""
        self.acceptance.record(draft.match, len(draft.tokens), accepted)
