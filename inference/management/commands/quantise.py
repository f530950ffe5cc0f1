"""`manage.py quantise ID`: make a quantised model of a full-precision one, and measure both."""

import argparse
import time
from contextlib import closing
from typing import Any

from django.conf import settings
from django.core.management import CommandError

from inference.core.errors import ServerError
from inference.core.installation import PROGRAM
from inference.core.quantisation import BITS, GROUP_SIZES, RECIPES, QuantisationSettings
from inference.core.units import in_gb_or_mb
from inference.management.client import ClientCommand, NotRunning
from inference.management.folder import models_folder
from inference.management.quantisation_maker import HereMaker, Maker, SiteMaker
from inference.management.step_bars import StepBars
from inference.management.table import table
from inference.repository.conversions.active_conversion import ConversionState
from inference.repository.conversions.refusal import ConversionRefused
from inference.repository.quantising.active_quantisation import ActiveQuantisation

_POLL_EVERY_S = 0.3
_STOPPED = 130  # as shells have it for a program that Ctrl-C has ended


class Command(ClientCommand):
    help = "Quantise a full-precision model, and measure the perplexity of both."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("model", help="the id of a full-precision model")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--bits", type=int, choices=BITS, default=4, help="bits of a weight; 4 by default")
        how.add_argument(
            "--recipe", choices=RECIPES, default="", help="one of mlx-lm's mixed recipes, instead of --bits"
        )
        parser.add_argument(
            "--group-size",
            type=int,
            choices=GROUP_SIZES,
            default=64,
            help="number of weights that share a scale",
        )
        parser.add_argument("--name", default="", help="the new model's name; NAME-4bit and so on by default")
        parser.add_argument("--no-perplexity", action="store_true", help="do not measure the models")

    def handle(self, *args: Any, **options: Any) -> None:
        how = QuantisationSettings(
            bits=options["bits"], recipe=options["recipe"], group_size=options["group_size"]
        )
        with closing(self._maker(options)) as maker:
            try:
                begun = maker.start(options["model"], how, options["name"], not options["no_perplexity"])
                made = self._follow(maker, begun)
            except (ConversionRefused, ServerError) as error:
                raise CommandError(str(error)) from None
        if made.state is not ConversionState.DONE:
            raise CommandError(made.message)
        self._write_result(made)

    def _maker(self, options: dict[str, Any]) -> Maker:
        """The running site, which has the memory in its hands; without one, this process."""
        try:
            client = self.client(options)
            client.pool()
        except NotRunning:
            models_folder(settings.CONFIG)
            return HereMaker()
        self.stdout.write(f"The site at {client.address} creates it.")
        return SiteMaker(client)

    def _follow(self, maker: Maker, begun: ActiveQuantisation) -> ActiveQuantisation:
        """Show its progress until it has ended; Ctrl-C cancels it."""
        now = begun
        try:
            with closing(StepBars(self.stderr)) as bars:  # type: ignore[arg-type]  # a wrapped stream
                while now.is_active:
                    bars.show(now.progress.steps)
                    time.sleep(_POLL_EVERY_S)
                    now = maker.look(begun.name)
                bars.show(now.progress.steps)
        except KeyboardInterrupt:
            maker.cancel(begun.name)
            raise CommandError("Stopped; no files were left behind.", returncode=_STOPPED) from None
        return now

    def _write_result(self, made: ActiveQuantisation) -> None:
        report, plan = made.report, made.plan
        if report is None or plan is None:
            return
        sizes = plan.prediction
        rows = [
            ("", "BEFORE", "AFTER"),
            ("model", report.source, made.name),
            ("size on disk", in_gb_or_mb(report.source_bytes), in_gb_or_mb(report.bytes)),
            ("predicted memory", in_gb_or_mb(sizes.source_memory_bytes), in_gb_or_mb(sizes.memory_bytes)),
        ]
        if found := report.perplexity:
            pair = [f"{one.value:.3f} ± {one.error:.3f}" for one in (found.before, found.after)]
            rows.append(("perplexity", pair[0], pair[1]))
        for line in table(rows):
            self.stdout.write(line)
        if found:
            self.stdout.write(f"Measured on {found.tokens:,} tokens of “{found.text}”.")
        if report.problem:
            self.stdout.write(report.problem)
        self.stdout.write(f"`{PROGRAM} load {made.name}` loads it.")
