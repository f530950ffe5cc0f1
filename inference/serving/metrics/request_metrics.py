"""What requests to models take: their number, durations and tokens."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from inference.core import request_origin
from inference.core.errors import InternalError, ServerError
from inference.core.events import (
    Accepted,
    Ended,
    Event,
    Finished,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from inference.serving.metrics.token_histogram import TokenHistogram, TokenTimes
from inference.serving.recording.request_entry import RequestEntry

CLIENT_LEFT: Final = 499  # as nginx logs it: https://nginx.org/en/docs/http/ngx_http_log_module.html
_PHASE_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 600)
_TOKEN_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.08, 0.1, 0.15, 0.25, 0.5, 1, 5)
_COUNT_EVERY_S = 0.25


class RequestMetrics:
    """Counters and histograms: requests are counted when they are over, and tokens as they come."""

    def __init__(self, registry: CollectorRegistry, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"mlxsite_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str) -> Histogram:
            name = f"mlxsite_{name}_seconds"
            return Histogram(name, text, ("model",), registry=registry, buckets=_PHASE_BUCKETS)

        self.requests = counter(
            "requests",
            "Requests to models that are over, by the status of their outcome; 499: the client left.",
            *("endpoint", "model", "status"),
        )
        self.answers = counter("answers", "Complete answers, by their finish reason.", "model", "reason")
        self.prompt_tokens = counter("prompt_tokens", "Tokens of accepted prompts.", "model")
        self.generation_tokens = counter("generation_tokens", "Generated tokens.", "model")
        self.cached_tokens = counter("cached_tokens", "Prompt tokens found in a prefix cache.", "model")
        self.drafted_tokens = counter("drafted_tokens", "Tokens drafted by speculation.", "model")
        self.accepted_tokens = counter("accepted_tokens", "Drafted tokens that were accepted.", "model")
        self.saved_tokens = counter(
            "cancelled_tokens_saved",
            "Tokens that cancelled requests might still have had, which were not computed.",
            "model",
        )
        self.queue_s = histogram("request_queue_time", "Time that requests waited in a queue.")
        self.load_s = histogram("request_load_time", "Time that requests waited for a load of their model.")
        self.prefill_s = histogram("request_prefill_time", "Time of the prefill of requests.")
        self.decode_s = histogram("request_decode_time", "Time of the decoding of requests.")
        self.first_token_s = histogram("time_to_first_token", "Time from a request to its first token.")
        self.between_tokens_s = TokenHistogram(
            "mlxsite_inter_token_latency_seconds",
            "Time between the tokens of an answer.",
            _TOKEN_BUCKETS,
            registry,
        )
        self.whole_s = histogram("e2e_request_latency", "Time from a request to its end.")

    @contextmanager
    def measured(self, label: Callable[[], str]) -> Iterator["RequestMeter"]:
        """Measure a request; it is counted when the block is over, however it ends.

        `label` returns the label of its model, once the request is accepted or over. `follow` must be called
        with the request's entry, which is complete by then.
        """
        meter = RequestMeter(self, label)
        try:
            yield meter
        except ServerError as error:
            meter.status = error.status
            raise
        except Exception:
            meter.status = InternalError.status
            raise
        finally:
            meter.end()


class RequestMeter:
    """One request in progress, measured from its events."""

    def __init__(self, metrics: RequestMetrics, label: Callable[[], str]) -> None:
        self._metrics = metrics
        self._label = label
        self._entry: RequestEntry | None = None
        self._began = metrics.clock()
        self._last: dict[int, float] = {}  # when each answer had its last token
        self._prompt_tokens = 0
        self._tokens = 0
        self._counted = 0  # of them: the counter has a lock, which not every token needs to take
        self._counts_at = 0.0
        self._most_tokens = 0
        self.status = 200

    @cached_property
    def _model(self) -> str:
        return self._label()

    @cached_property
    def _between_tokens_s(self) -> TokenTimes:
        return self._metrics.between_tokens_s.of(self._model)

    def follow(self, entry: RequestEntry) -> None:
        """Count this entry of the record at the end."""
        self._entry = entry

    def note(self, event: Event) -> None:
        """Count the event's tokens, and the time since the token before."""
        match event:
            case TextDelta() | ReasoningDelta() | ToolCallDelta():
                self._note_tokens(event.index, event.tokens)
            case Accepted(prompt_tokens=tokens, max_tokens=most):
                self._prompt_tokens, self._most_tokens = tokens, most
                self._metrics.prompt_tokens.labels(self._model).inc(tokens)
            case Ended(reason=reason):
                self._metrics.answers.labels(self._model, reason).inc()
            case Finished(usage=usage):
                self._add_rest(usage.prompt_tokens, usage.completion_tokens)

    def _note_tokens(self, index: int, tokens: int) -> None:
        if not tokens:
            return
        now = self._metrics.clock()
        if not self._last:
            self._metrics.first_token_s.labels(self._model).observe(now - self._began)
        if index in self._last:
            self._between_tokens_s.observe((now - self._last[index]) / tokens, tokens)
        self._last[index] = now
        self._tokens += tokens
        if now >= self._counts_at:
            self._count_tokens(self._tokens)
            self._counts_at = now + _COUNT_EVERY_S

    def _count_tokens(self, tokens: int) -> None:
        """Count those of `tokens` generated ones that were not counted yet."""
        self._metrics.generation_tokens.labels(self._model).inc(max(0, tokens - self._counted))
        self._counted = max(self._counted, tokens)

    def _add_rest(self, prompt_tokens: int, tokens: int) -> None:
        """Count the tokens that no event before the last one had, such as stop tokens."""
        self._metrics.prompt_tokens.labels(self._model).inc(max(0, prompt_tokens - self._prompt_tokens))
        self._tokens = max(self._tokens, tokens)

    def end(self) -> None:
        """Count the request with its durations."""
        metrics, model, entry = self._metrics, self._model, self._entry
        if entry is None:
            return
        status = CLIENT_LEFT if entry.has_left else self.status
        endpoint = request_origin.current().dialect or "other"
        metrics.requests.labels(endpoint, model, str(status)).inc()
        self._count_tokens(self._tokens)
        if entry.has_left and self._most_tokens:
            metrics.saved_tokens.labels(model).inc(max(0, self._most_tokens - self._tokens))
        metrics.cached_tokens.labels(model).inc(entry.cached_tokens)
        metrics.drafted_tokens.labels(model).inc(entry.drafted_tokens)
        metrics.accepted_tokens.labels(model).inc(entry.accepted_tokens)
        metrics.whole_s.labels(model).observe(metrics.clock() - self._began)
        metrics.queue_s.labels(model).observe(entry.queued_s + entry.paused_s)
        if entry.loading_s:
            metrics.load_s.labels(model).observe(entry.loading_s)
        if entry.prefill_s:
            metrics.prefill_s.labels(model).observe(entry.prefill_s)
        if entry.decode_s:
            metrics.decode_s.labels(model).observe(entry.decode_s)
