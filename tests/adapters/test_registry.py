"""Every adapter has its file, its place in the list, its test and its row in the documents."""

from inference.adapters import ADAPTERS, ModelFacts, adapter_for
from inference.core.config import BASE_DIR
from tests.adapters.family_models import make
from tests.each import each
from tests.tiny import CHATML, LLAMA_3

FOLDER = BASE_DIR / "inference" / "adapters" / "families"


def files() -> set[str]:
    return {path.stem for path in FOLDER.glob("*.py")} - {"__init__"}


def test_every_adapter_file_is_registered() -> None:
    assert {adapter.__module__.rpartition(".")[2] for adapter in ADAPTERS} == files()


@each("name", sorted(files()))
def test_every_adapter_file_has_its_test(name: str) -> None:
    assert (BASE_DIR / "tests" / "adapters" / "families" / f"test_{name}.py").exists()


@each("name", sorted(files()))
def test_every_adapter_has_its_row_with_a_source(name: str) -> None:
    rows = (BASE_DIR / "docs" / "adapters.md").read_text().splitlines()
    assert [row for row in rows if row.startswith("|") and f"`{name}.py`" in row and "https://" in row]


def test_the_last_adapter_takes_every_model() -> None:
    assert ADAPTERS[-1].fits(ModelFacts())


def test_names_are_unique() -> None:
    assert len({adapter.name for adapter in ADAPTERS}) == len(ADAPTERS)


@each(
    ("model_type", "template", "name"),
    [
        ("llama", LLAMA_3, "llama3"),
        ("llama", CHATML, "default"),
        ("llama", "[INST] {{ messages[0]['content'] }} [/INST]", "codellama"),
        ("llama", "", "default"),
        ("qwen3", CHATML, "qwen"),
        ("qwen2", LLAMA_3, "default"),
        ("something-new", "", "default"),
    ],
)
def test_the_model_type_decides_and_then_the_template(model_type: str, template: str, name: str) -> None:
    adapter, _ = make(template, config={"model_type": model_type})
    assert adapter.name == name


def test_an_operators_choice_goes_before_what_fits() -> None:
    default, tokenizer = make(CHATML)
    assert default.name == "default"
    assert adapter_for(ModelFacts(chat_template=CHATML), tokenizer, "llama3").name == "llama3"
