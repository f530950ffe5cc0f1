"""Downloads from the fake hub into a models folder."""

import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from inference.repository.catalog import Catalog
from inference.repository.downloads.errors import FetchFailed
from inference.repository.downloads.hub import download
from inference.repository.downloads.progress import FetchProgress, OnProgress
from inference.repository.downloads.retry_policy import RetryPolicy
from tests.repository.hub import REPO, FakeHub, contents

FEW_RETRIES = RetryPolicy(tries=3, pause_s=0.01, longest_pause_s=2, connect_s=2, stall_s=0.5)


@dataclass
class Fetch:
    """Fetches into `models`, and looks at what a catalog finds there."""

    hub: FakeHub
    models: Path

    def __call__(self, repo: str = REPO) -> list[FetchProgress]:
        reports: list[FetchProgress] = []
        self.download(reports.append, repo)
        return reports

    def download(self, on_progress: OnProgress, repo: str = REPO) -> None:
        download(
            repo, self.models / "tiny", on_progress, endpoint=self.hub.endpoint, retry_policy=FEW_RETRIES
        )

    def refusal(self, kind: type[FetchFailed], repo: str = REPO) -> str:
        """Why it failed; there is no model then."""
        with pytest.raises(FetchFailed) as refused:
            self(repo)
        assert refused.type is kind
        assert not self.listed and not (self.models / "tiny").exists()
        return str(refused.value)

    @property
    def listed(self) -> list[str]:
        return [card.id for card in Catalog(self.models, use_hub_cache=False).scan()]

    @property
    def names(self) -> list[str]:
        return sorted(contents(self.models / "tiny"))

    @property
    def is_whole(self) -> bool:
        """Whether the model there is the hub's, byte by byte, and nothing else."""
        return contents(self.models / "tiny") == self.hub.files


def wait_for_part(draft: Path, size: int) -> None:
    """Until so much of the weights is on the disk."""
    end = time.monotonic() + 30
    while [path.stat().st_size for path in draft.glob("model.safetensors.*.part")] != [size]:
        assert time.monotonic() < end
        time.sleep(0.02)
