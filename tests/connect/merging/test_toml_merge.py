import tomllib

import pytest

from inference.connect.merging.errors import Unmergeable
from inference.connect.merging.toml_merge import merged
from tests.each import each

SETTINGS = (
    'model = "m"\nmodel_context_window = 8\n\n'
    '[model_providers.mlx]\nname = "mlx"\nhttp_headers = { A = "B" }\n'
)
FILES = {
    "comments": '# mine\nmodel = "old" # why\nnotify = [\n  "a",\n]\n\n[tools] # these\nweb = true # yes\n',
    "no settings": "# mine\n",
    "tables alone": "[tools]\nweb = true\n\n\n",
    "own table": '[model_providers.mlx]\nname = "x" # mine\nextra = 1\n\n[tools]\nweb = true\n',
    "other provider": '[model_providers.other]\nname = "other"\n',
    "arrays of tables": '[[hooks]]\nname = "a"\n[[hooks]]\nname = "b"\n',
    "text with brackets": 'x = """\n[a]\n"""\n',
}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_settings_are_set_and_all_else_stays(text: str) -> None:
    before, after = tomllib.loads(text), tomllib.loads(changed := merged(text, SETTINGS))
    own = after["model_providers"].pop("mlx")
    assert own == {
        **before.get("model_providers", {}).get("mlx", {}),
        "name": "mlx",
        "http_headers": {"A": "B"},
    }
    before.get("model_providers", {}).pop("mlx", None)
    assert {**after} == {"model_providers": {}, **before, "model": "m", "model_context_window": 8}
    for line in text.split("\n"):
        _, mark, comment = line.partition("#")
        assert mark + comment in changed
    assert merged(changed, SETTINGS) == changed


def test_a_setting_keeps_its_place_and_its_comment() -> None:
    changed = merged(FILES["comments"], SETTINGS)
    assert changed.startswith('model_context_window = 8\n# mine\nmodel = "m" # why\nnotify = [\n')
    assert changed.endswith(
        'web = true # yes\n\n[model_providers.mlx]\nname = "mlx"\nhttp_headers = { A = "B" }\n'
    )


@each(
    ("text", "reason"),
    [
        ("model = \n", "not valid TOML"),
        ('model_providers = { mlx = { name = "x" } }\n', "in another form"),
        ('model = """\nlong"""\n', "in another form"),
        ("model_providers = 1\n", "not a table"),
    ],
)
def test_a_file_that_only_its_owner_can_change_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Unmergeable, match=reason):
        merged(text, SETTINGS)
