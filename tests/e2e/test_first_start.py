"""`manage.py serve` as a newcomer meets it: the starter model, the addresses, and a second start."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.site import ROOT, STARTER, Site
from tests.nightly import nightly

pytestmark = pytest.mark.e2e


def test_the_first_start_sets_everything_up(site: Site, models_dir: Path) -> None:
    data = models_dir.parent
    assert stat.S_IMODE((data / "secret_key").stat().st_mode) == 0o600
    assert (data / "site.sqlite3").exists()
    assert {path.name for path in models_dir.iterdir() if not path.name.startswith(".")} == {STARTER}


def test_it_prints_the_three_addresses_and_the_first_login(site: Site) -> None:
    for part in (f"{site.url}/\n", f"{site.url}/admin/", f"{site.url}/v1", "Sign in to the admin as 'admin'"):
        assert part in site.output


@nightly
def test_a_taken_port_is_a_clear_error(site: Site, tmp_path: Path) -> None:
    port = site.url.rsplit(":", 1)[1]
    with Site(tmp_path, "--no-starter", "--port", port) as second:
        assert second.process.wait(30) != 0
        second._reader.join(5)
    assert "Cannot listen" in second.output and second.output.count(port) == 1


def test_a_folder_is_served_by_one_site_which_the_commands_find(site: Site, models_dir: Path) -> None:
    with Site(models_dir.parent, "--no-starter") as second:
        assert second.process.wait(30) != 0
        second._reader.join(5)
    assert f"already uses {models_dir.parent}" in second.output
    assert f": at {site.url}, process {site.process.pid}. Stop that one first" in second.output
    command = [sys.executable, "manage.py", "pool"]
    printed = subprocess.run(command, cwd=ROOT, env=site._env, capture_output=True, text=True, check=True)
    assert printed.stdout.startswith("Models hold")
    assert "serving" not in {Path(file.path).name for one in site.workers for file in one.open_files()}
