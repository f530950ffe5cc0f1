"""The commands of docs/clients.md for GuideLLM and lm-eval, run as they are printed.

.ci/nightly installs both.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.clients.live import page
from tests.clients.live.page import Example
from tests.e2e.site import Site
from tests.scripted_model import ANSWER

pytestmark = pytest.mark.e2e
COMMANDS = {
    example.text.rpartition("$ ")[2]: example
    for example in page.examples("console")
    if example.section in ("GuideLLM", "lm-eval")
}
# Tasks of two questions, in place of those that are fetched.
_TASK = """
task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
test_split: test
doc_to_text: "{{{{question}}}}{suffix}"
"""
_CHOICE = """
output_type: multiple_choice
doc_to_choice: "{{choices}}"
doc_to_target: answer
target_delimiter: ""
metric_list: [{metric: acc}]
"""
_GENERATE = f"""
output_type: generate_until
doc_to_target: {ANSWER}
generation_kwargs: {{until: ["\\n\\n", "Q:", "</s>", "User:", "Human:"], max_gen_toks: 16}}
metric_list: [{{metric: exact_match}}]
"""


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    """A folder with the tasks; the model answers what ends with 0."""
    data = tmp_path / "questions.jsonl"
    choices = {"choices": [ANSWER, "Light"], "answer": 0}
    data.write_text("".join(json.dumps({"question": name} | choices) + "\n" for name in ("Hello", "Hi")))
    for name, suffix, rest in (("arc_easy", "0", _CHOICE), ("gsm8k", "", _GENERATE)):
        head = _TASK.format(name=f"tiny_{name}", data=data, suffix=suffix)
        (tmp_path / f"{name}.yaml").write_text(head + rest)
    return tmp_path


def run(example: Example, site: Site, command: str, folder: Path) -> str:
    """What the command prints; raises if it fails."""
    command = Example(example.section, example.language, command).at(site.url)
    models = Path(site._env["MLX_SERVER_DATA_DIR"]) / "models"
    done = subprocess.run(
        ["bash", "-c", command.replace("data/models", str(models))],
        cwd=folder,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "hub"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.startswith("guidellm")])
@pytest.mark.parametrize("kind", ["chat/completions", "completions", "responses"])
def test_guidellm_measures_every_request(
    scripted_site: Site, tmp_path: Path, command: str, kind: str
) -> None:
    chosen = command.replace("kind=openai_http", f"kind=openai_http,request_format=/v1/{kind}").rstrip()
    run(COMMANDS[command], scripted_site, f"{chosen} --output kind=json,path=report.json", tmp_path)
    (benchmark,) = json.loads((tmp_path / "report.json").read_text())["benchmarks"]
    totals = benchmark["metrics"]["request_totals"]
    assert (totals["successful"], totals["errored"]) == (20, 0)
    answers = benchmark["metrics"]["output_token_count"]["successful"]
    assert answers["mean"] == 64


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.startswith("lm_eval")])
def test_lm_eval_scores_what_the_model_answers(scripted_site: Site, tasks: Path, command: str) -> None:
    ours = command.replace("--tasks ", f"--include_path {tasks} --tasks tiny_").rstrip()
    run(COMMANDS[command], scripted_site, f"{ours} --output_path results", tasks)
    (report,) = (tasks / "results").rglob("results_*.json")
    (scores,) = json.loads(report.read_text())["results"].values()
    assert scores.get("acc,none", scores.get("exact_match,none")) == 1


def test_the_page_has_their_commands() -> None:
    assert [command.split()[0] for command in COMMANDS] == ["guidellm", "lm_eval", "lm_eval"]
