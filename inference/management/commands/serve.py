"""`manage.py serve`: set up what is missing, run the site, and stop it cleanly on Ctrl-C."""

import argparse
import asyncio
import contextlib
import logging
import resource
import signal
import sys
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import BaseCommand, CommandError
from pydantic import ValidationError
from tqdm import tqdm

from inference import __version__
from inference.accounts import first_account
from inference.accounts.first_account import FirstLogin
from inference.core import data_folder, garbage, log_lines, log_ring
from inference.core.config import Config, reason
from inference.core.unknown_settings import unknown_settings
from inference.fronts import connection, front
from inference.management import schema
from inference.management.folder import models_folder
from inference.management.shutdown import Shutdown
from inference.repository.starter import StarterUnavailable, ensure_starter
from inference.serving import gguf_imports, quantising, runtime, site_lock, trace_export
from inference.serving.maintenance import DatabaseMaintenance
from inference.serving.recording.capture_switch import SWITCH
from mlxsite.open_connections import most_of_one_address
from mlxsite.server import StreamServer

logger = logging.getLogger(__name__)
_OPEN_FILES = 4096


class Command(BaseCommand):
    help = "Set up what is missing, then serve the playground, the admin and /v1 until Ctrl-C."
    requires_system_checks = []  # run below, once the options are applied

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--host", help="the address to listen on (MLX_SERVER_HOST)")
        parser.add_argument(
            "--port", type=int, help="the port to listen on, 0 for a free one (MLX_SERVER_PORT)"
        )
        parser.add_argument("--models-dir", help="the models folder (MLX_SERVER_MODELS_DIR)")
        parser.add_argument("--no-starter", action="store_true", help="do not download the starter model")

    def handle(self, *args: Any, **options: Any) -> None:
        config = _apply(options)
        data_folder.create_private_files()
        log_lines.capture()
        if config.is_reachable and config.api_key is None:
            where = f"listen on {config.host}" if not config.is_loopback else f"serve {config.origins}"
            raise CommandError(
                f"Refusing to {where} without a key: anyone on the network could use this server. Set "
                "MLX_SERVER_API_KEY, or listen on 127.0.0.1 without MLX_SERVER_ORIGINS."
            )
        if problems := unknown_settings():
            raise CommandError(" ".join(problems))
        _check_redis(config)
        models_folder(config)
        self.check()
        try:
            with site_lock.locked(config.data_dir) as place:
                self._run(config, place)
        except site_lock.ServedAlready as other:
            raise CommandError(
                f"A site already uses {config.data_dir}: {other}. Stop that one first, or give this one its "
                "own folder with MLX_SERVER_DATA_DIR."
            ) from None
        except site_lock.LockUnusable as error:
            raise CommandError(f"{error}. Move it away, or correct its permissions.") from None

    def _run(self, config: Config, place: site_lock.SiteLock) -> None:
        schema.bring_up_to_date(self._write)
        _keep_log(config)
        SWITCH.refresh()  # before the first request: a capture continues after a restart
        DatabaseMaintenance().start()
        quantising.register()  # these delete what a killed site left
        gguf_imports.register()
        login = first_account.of_settings(config)
        login.make()
        if config.starter and not any(card.is_servable for card in runtime.catalog().scan()):
            self._download_starter(config)
        trace_export.configure(config)
        _allow_many_files()
        try:
            self._serve(config, place, login)
        finally:
            trace_export.finish()

    def _download_starter(self, config: Config) -> None:
        self.stdout.write("No model yet: downloading the starter model, SmolLM2-135M-Instruct.")
        bar = tqdm(total=None, unit="B", unit_scale=True, file=sys.stdout, disable=None, leave=False)

        def on_progress(phase: str, done: int, total: int) -> None:
            bar.set_description(phase, refresh=False)
            bar.total, bar.n = total or None, done
            bar.refresh()

        try:
            with contextlib.closing(bar):
                ensure_starter(config.models_path, on_progress)
            runtime.catalog().forget()  # or the first request may find the folder as it was before
        except StarterUnavailable as error:
            self.stderr.write(self.style.WARNING(str(error)))

    def _serve(self, config: Config, place: site_lock.SiteLock, login: FirstLogin) -> None:
        with garbage.paused():
            from mlxsite.asgi import application

        def on_ready() -> None:
            place.listens(config.host, server.port)
            self._on_ready(server, login)

        server = StreamServer(
            application,
            host=config.host,
            port=config.port,
            max_body_bytes=config.max_body_bytes,
            picture_body_bytes=config.picture_body_bytes,
            on_ready=on_ready,
            connections_of_one=most_of_one_address(),
            trusted_proxies=config.trusted_proxies,
        )
        server.run()
        if server.listen_failure:
            raise CommandError(
                f"Cannot listen on {config.host}:{config.port}: {server.listen_failure}. Give another "
                "address with --host or --port."
            )
        self._write("Stopped.")

    def _write(self, line: str) -> None:
        with contextlib.suppress(OSError):  # the terminal may be closed already
            self.stdout.write(line)
            self.stdout.flush()

    def _on_ready(self, server: StreamServer, login: FirstLogin) -> None:
        garbage.freeze()
        loop = asyncio.get_event_loop()
        shutdown = Shutdown(server, self._write)
        loop.add_signal_handler(signal.SIGINT, shutdown.start)
        loop.add_signal_handler(signal.SIGTERM, shutdown.start, settings.CONFIG.drain_s)
        shutdown.keep(loop.create_task(front.live()))
        shutdown.keep(loop.create_task(runtime.pool().warm_up()))
        self._greet(server.address, login.take_message(is_terminal=self.stdout.isatty()))

    def _greet(self, address: str, first_login: str) -> None:
        self.stdout.write(f"\nmlxsite {__version__} is ready.\n")
        for name, path in (("Playground", "/"), ("Admin", "/admin/"), ("API", "/v1")):
            self.stdout.write(f"  {name:<11}{address}{path}")
        if first_login:
            self.stdout.write(f"\n{first_login}")
        self.stdout.write("\nPress Ctrl-C to stop.")
        self.stdout.flush()


def _apply(options: dict[str, Any]) -> Config:
    """Apply the options on top of the settings; raises CommandError for a wrong value."""
    overrides = {
        "host": options["host"],
        "port": options["port"],
        "models_dir": options["models_dir"],
        "starter": False if options["no_starter"] else None,
    }
    try:
        config = Config(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        raise CommandError("; ".join(f"{e['loc'][0]}: {reason(e)}" for e in error.errors())) from None
    except ImproperlyConfigured as error:
        raise CommandError(str(error)) from None
    settings.CONFIG = config
    settings.ALLOWED_HOSTS = config.hosts
    return config


def _check_redis(config: Config) -> None:
    """Raise CommandError where the Redis that is set cannot be used."""
    if config.redis_url and (why := connection.problem(config.redis_url.get_secret_value())):
        raise CommandError(
            f"MLX_SERVER_REDIS_URL: the Redis at {config.redis_address} cannot be used: {why}. Start it, "
            "correct the setting, or unset it: a site with one front needs no Redis."
        )


def _keep_log(config: Config) -> None:
    """Keep the latest lines of the log over restarts; the site serves without that, too."""
    try:
        log_ring.RING.keep_in(config.data_dir / log_ring.FOLDER)
    except OSError as error:
        logger.warning("The log is not kept over restarts: %s", error)


def _allow_many_files() -> None:
    # macOS starts processes with 256 descriptors; every stream takes one.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
