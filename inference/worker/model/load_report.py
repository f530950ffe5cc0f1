"""What a load reports while it runs: its phases, and how many of the weights are on the device."""

from inference.core.load_progress import LoadPhase, LoadProgress, OnLoadProgress


class LoadReport:
    """The reports of one load, in its current phase; called with percentages, which never fall."""

    def __init__(self, send: OnLoadProgress, phase: LoadPhase) -> None:
        self._send = send
        self._progress = LoadProgress(phase=phase)
        send(self._progress)

    def __call__(self, percent: int) -> None:
        if percent > self._progress.percent:
            self._report(LoadProgress(phase=self._progress.phase, percent=percent))

    def enter(self, phase: LoadPhase) -> None:
        """Report that another phase has begun."""
        self._report(LoadProgress(phase=phase, percent=self._progress.percent))

    def _report(self, progress: LoadProgress) -> None:
        self._progress = progress
        self._send(progress)


def part_of(send: OnLoadProgress, begin: float, end: float) -> OnLoadProgress:
    """A callback for the part of a load from one share of the whole to another."""

    def scaled(progress: LoadProgress) -> None:
        percent = int(100 * begin + progress.percent * (end - begin))
        send(LoadProgress(phase=progress.phase, percent=percent))

    return scaled
