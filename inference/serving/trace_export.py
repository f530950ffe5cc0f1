"""Where spans are sent: to Logfire, or to a collector that OpenTelemetry's own variables name."""

import logging
import os
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from opentelemetry import trace

from inference.core.installation import INSTALLATION

if TYPE_CHECKING:
    from inference.core.config import Config

logger = logging.getLogger(__name__)
_SERVICE = "mlxsite"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_HTTP = "http/protobuf"
_ends: list[Callable[[float], None]] = []  # of what `configure` has begun


def configure(config: "Config") -> bool:
    """Begin to send spans; False where nothing asks for it, and with one warning where it is not possible.

    Logfire sends them to the collector of OpenTelemetry's variables, too.
    """
    if config.logfire_enabled:
        return _send_to_logfire(config)
    return _is_collector_named() and _send_to_collector()


def finish(limit_s: float = 2.0) -> None:
    """Send what is left before the process ends; a collector that does not answer is not waited for."""
    while _ends:
        _ends.pop()(limit_s)


def _send_to_logfire(config: "Config") -> bool:
    try:
        import logfire
    except ImportError:
        logger.warning(
            "MLX_SERVER_LOGFIRE_ENABLED is set but Logfire is missing: %s",
            INSTALLATION.install_extra("logfire"),
        )
        return False
    token = config.logfire_token.get_secret_value() if config.logfire_token else None
    if token is None:
        logger.warning("No MLX_SERVER_LOGFIRE_TOKEN: spans are printed here and sent nowhere")
    logfire.configure(
        token=token, send_to_logfire="if-token-present", service_name=_SERVICE, inspect_arguments=False
    )
    return True


def _is_collector_named() -> bool:
    """Whether the variables of OpenTelemetry ask for spans, and do not switch them off."""
    exporter = os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true" or exporter == "none":
        return False
    return exporter == "otlp" or any(os.environ.get(name) for name in _ENDPOINTS)


def _send_to_collector() -> bool:
    protocol = next((os.environ[name] for name in _PROTOCOLS if os.environ.get(name)), _HTTP)
    if protocol != _HTTP:
        logger.warning("OTEL_EXPORTER_OTLP_PROTOCOL is %s, but spans can only be sent by %s", protocol, _HTTP)
        return False
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        logger.warning(
            "OTEL_* variables ask for spans, but a package is missing: %s", INSTALLATION.install_extra("otlp")
        )
        return False
    # The variables OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER, OTEL_BSP_* and the
    # exporter's are read by these classes.
    own = {} if "OTEL_SERVICE_NAME" in os.environ else {"service.name": _SERVICE}
    provider, exporter = TracerProvider(resource=Resource.create(own)), OTLPSpanExporter()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    _ends.append(partial(_end, provider.shutdown, exporter.shutdown))
    return True


def _end(shut_down: Callable[[], None], give_up: Callable[[], None], limit_s: float) -> None:
    """Send what is left; after `limit_s` there are no more retries."""
    timer = threading.Timer(limit_s, give_up)
    timer.start()
    shut_down()
    timer.cancel()
