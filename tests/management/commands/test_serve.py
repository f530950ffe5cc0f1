"""`manage.py serve`, without a site; tests/e2e/test_serve.py has one."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from inference.core.config import Config
from inference.management.commands import serve
from inference.repository.catalog import Catalog
from inference.serving import runtime
from tests.fakes import FakeRunner, fake_pool
from tests.tiny import make_tiny_model


def test_the_starter_is_there_for_the_first_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def brought(models: Path, on_progress: Any) -> Path:
        return make_tiny_model(models / "starter")

    monkeypatch.setattr(serve, "ensure_starter", brought)
    config = Config(data_dir=tmp_path, models_dir=tmp_path / "models")
    catalog = Catalog(config.models_path, use_hub_cache=False, clock=lambda: 0.0)  # no time goes by
    with runtime.use_pool(fake_pool([FakeRunner()]), models=catalog):
        assert catalog.scan() == ()
        serve.Command(stdout=StringIO())._download_starter(config)
        assert [card.id for card in catalog.scan()] == ["starter"]
