"""The report that can be posted."""

import getpass
import platform
from pathlib import Path

from inference.management.bench.figures import Aim, figure
from inference.management.bench.machine import this_machine
from inference.management.bench.markdown import as_markdown
from inference.management.bench.table import BenchReport
from inference.management.commands.bench import repeating

HOME = Path.home()
FIGURES = (
    figure(
        "streams",
        "8 streams, decode",
        "tok/s",
        [40.0, 44.0, 42.0],
        [20.0, 22.0, 21.0],
        against="mlx_lm.server",
        aim=Aim(sign=">=", value=3),
        notes=["a | b", f"theirs: cannot read {HOME}/models/secret.safetensors"],
    ),
    figure("steps", "8 mixed rows", "ms", [0.3], aim=Aim(sign="<=", value=0.4, of="ours")),
)
REPORT = BenchReport(
    machine=this_machine(),
    model="tiny",
    repeat=3,
    is_quick=False,
    seconds=12.0,
    figures=FIGURES,
    failures=(f"gap: ours ended (1): File '{HOME}/site/manage.py' on {platform.node()}",),
    conditions=("Both compute the same weights.",),
    command="python manage.py bench --model tiny",
)


def test_it_has_the_machine_the_conditions_the_figures_and_the_command() -> None:
    text = as_markdown(REPORT)
    for part in (
        "# Benchmark of tiny",
        "| Processor |",
        "| mlx |",
        "- Both compute the same weights.",
        "### streams",
        "| 8 streams, decode | 42.0 tok/s (40.0-44.0) | 21.0 tok/s (20.0-22.0) (mlx_lm.server) | 2.00 |",
        "| **no** |",
        "| 8 mixed rows | 0.300 ms | - | - | &lt;= 0.4 ms | yes |",
        "- streams: a \\| b",
        "$ python manage.py bench --model tiny",
    ):
        assert part in text, part


def test_it_names_no_host_no_user_and_no_path() -> None:
    text = as_markdown(REPORT)
    assert str(HOME) not in text
    assert platform.node() not in text.split()
    assert f"/{getpass.getuser()}" not in text
    assert "secret.safetensors" in text
    assert "manage.py" in text


def test_tables_have_as_many_cells_in_each_line() -> None:
    for block in as_markdown(REPORT).split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("|")]
        assert len({line.replace("\\|", "").count("|") for line in lines}) <= 1


def test_the_command_repeats_the_run_without_folders_and_keys() -> None:
    options = {
        "model": Path("/somewhere/My Models/tiny"),
        "second": None,
        "quantised": None,
        "against": "http://10.0.0.5:8080/v1",
        "against_model": "/models/a.gguf",
        "against_key": "secret",
        "rows": "streams,users",
        "repeat": 2,
        "quick": True,
    }
    assert repeating(options) == (
        "python manage.py bench --model tiny --against ADDRESS --against-model a.gguf "
        "--rows streams,users --repeat 2 --quick"
    )
