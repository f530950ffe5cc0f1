"""All upstreams of this process: the cards of their models, their addresses, and the balancer."""

import time
from collections.abc import Callable, Mapping, Sequence

from inference.core.model_card import ModelCard
from inference.core.upstream import RemoteModel, Route
from inference.upstreams.balancer import Balancer
from inference.upstreams.upstream_runner import UpstreamRunner


class Upstreams:
    """Call `cards` from the thread that scans the models; the rest is callable from any thread.

    `read` returns the routes as the operator has set them up. An answer that is silent for `silence_s` fails,
    and one has `most_tokens` at most, where that is not 0.
    """

    def __init__(
        self,
        read: Callable[[], Sequence[Route]],
        *,
        silence_s: float,
        most_tokens: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._silence_s, self._most_tokens = silence_s, most_tokens
        self.balancer = Balancer(clock)
        self._routes: Mapping[str, Route] = {}

    def cards(self) -> tuple[ModelCard, ...]:
        """A card for each model that other servers answer for; requests go by this read from now on."""
        routes = self._read()
        self._routes = {route.model: route for route in routes}
        return tuple(map(card_of, routes))

    def route_of(self, model: str) -> Route | None:
        """Where a model is answered for; None where it is not."""
        return self._routes.get(model)

    def start_runner(self) -> UpstreamRunner:
        """A runner for one of the models."""
        return UpstreamRunner(
            self.route_of, self.balancer, silence_s=self._silence_s, most_tokens=self._most_tokens
        )


def card_of(route: Route) -> ModelCard:
    """The card of a model that other servers answer for: it takes no memory here."""
    return ModelCard(
        id=route.model,
        path="",
        source="upstream",
        family="upstream",
        context_length=route.context_length,
        weight_bytes=0,
        resident_bytes=0,
        created=route.created,
        problem=route.problem,
        sees=route.sees,
        remote=RemoteModel(
            upstreams=tuple(address.upstream for address in route.addresses),
            most_streams=route.most_streams,
            takes_tools=route.takes_tools,
            can_reason=route.can_reason,
        ),
    )
