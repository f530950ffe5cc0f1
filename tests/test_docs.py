"""What the documents say is compared with what the code has, so that neither can drift."""

import json
import re
from pathlib import Path

import pytest

from inference.core.config import BASE_DIR, Config
from inference.core.errors import ServerError, all_errors
from inference.serving.metrics.site_metrics import SiteMetrics
from tests.each import each
from tests.serving.metrics.test_state_metrics import site_state

DOCS = BASE_DIR / "docs"


def shown_default(name: str) -> str:
    """A setting's default as the page writes it."""
    default = Config.model_fields[name].default
    if isinstance(default, Path):
        return f"`{default.relative_to(BASE_DIR)}`"
    return (
        "none"
        if default in (None, "")
        else f"`{str(default).lower() if isinstance(default, bool) else default}`"
    )


@each("name", list(Config.model_fields))
def test_every_setting_is_documented_with_its_default(name: str) -> None:
    field = Config.model_fields[name]
    row = f"| `MLX_SERVER_{name.upper()}` | {shown_default(name)} | {field.description} |"
    assert row in (DOCS / "configuration.md").read_text()


def test_no_documented_setting_is_made_up() -> None:
    documented = re.findall(r"^\| `MLX_SERVER_(\w+)`", (DOCS / "configuration.md").read_text(), re.MULTILINE)
    assert {name.lower() for name in documented} == set(Config.model_fields)


@pytest.mark.parametrize("error", all_errors(), ids=lambda error: error.__name__)
def test_every_error_code_is_documented_with_its_status(error: type[ServerError]) -> None:
    assert re.search(rf"\| {error.status} \| `{error.code}` \|", (DOCS / "api.md").read_text())


def test_every_endpoint_is_documented() -> None:
    from inference.api.openai.api import api
    from inference.api.operator.api import api as control

    page = (DOCS / "api.md").read_text()
    operations = [
        f"{method.upper()} {path.replace('{model_id}', '{id}')}"
        for site in (api, control)
        for path, methods in site.get_openapi_schema()["paths"].items()
        for method in methods
    ]
    assert [one for one in (*operations, "GET /health") if f"| `{one}` |" not in page] == []


@pytest.fixture
def exported(tmp_path: Path) -> dict[str, str]:
    """The types of all metrics of ours."""
    text, _ = SiteMetrics().render(site_state(tmp_path), "")
    return dict(re.findall(r"^# TYPE (mlxsite_\S+) (\S+)$", text.decode(), re.MULTILINE))


def test_every_metric_is_documented_with_its_type(exported: dict[str, str]) -> None:
    page = (DOCS / "monitoring.md").read_text()
    assert dict(re.findall(r"^\| `(mlxsite_\w+)` \| (\w+) \|", page, re.MULTILINE)) == exported


@pytest.mark.parametrize("name", ["grafana.json", "alerts.yml"])
def test_the_dashboard_and_the_alerts_use_only_what_is_exported(name: str, exported: dict[str, str]) -> None:
    used = set(re.findall(r"\bmlxsite_\w+", (DOCS / "deploy" / name).read_text()))
    assert len(used) >= 5
    assert {re.sub(r"_seconds_(bucket|sum|count)$", "_seconds", metric) for metric in used} <= exported.keys()


def test_the_panels_of_the_dashboard_have_ids_queries_and_places_of_their_own() -> None:
    panels = json.loads((DOCS / "deploy" / "grafana.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["type"] == "row" or panel["targets"] for panel in panels)
    taken = [
        (column, line)
        for place in (panel["gridPos"] for panel in panels)
        for column in range(place["x"], place["x"] + place["w"])
        for line in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(taken)) == len(taken) and {column for column, _ in taken} == set(range(24))


def test_every_feature_of_the_playground_names_a_test_that_exists() -> None:
    rows = re.findall(r"^\| .+ \| (.+) \|$", (DOCS / "playground.md").read_text(), re.MULTILINE)
    proofs = [proof.strip("`") for cell in rows if cell not in {"test", "---"} for proof in cell.split(", ")]
    places = [proof.partition("::")[::2] for proof in proofs]
    missing = [name for file, name in places if f"def {name}(" not in (BASE_DIR / "tests" / file).read_text()]
    assert proofs
    assert missing == []


def test_links_between_the_documents_lead_somewhere() -> None:
    pages = [BASE_DIR / "README.md", BASE_DIR / "CONTRIBUTING.md", *DOCS.rglob("*.md")]
    broken = [
        f"{page.name}: {target}"
        for page in pages
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_the_lock_pins_names_and_versions_and_nothing_else() -> None:
    lines = (BASE_DIR / "requirements.lock").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert pins
    assert [line for line in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line)] == []
