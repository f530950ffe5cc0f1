import pytest
import yaml

from inference.connect.merging.errors import Unmergeable
from inference.connect.merging.yaml_merge import merged
from tests.each import each

SETTINGS = "name: MLX\nflag: false\nmodels:\n  - name: m\n    url: http://x/v1\n    roles: [chat]\n"
FILES = {
    "comments": "# mine\nname: Own # why\nmodels:\n  # first\n  - name: other\n    url: y # there\n"
    "\n# rules\nrules:\n  - short\n",
    "no indent": "name: Own\nmodels:\n- name: other\n  url: y\n- name: m\n  url: old\n# end\n",
    "own item": "models:\n  - name: m\n    url: old\n    more: 1\n  - name: z\n",
    "empty list": "models: []\nrules: [a]\n",
    "no list": "models:\nrules: [a]\n",
    "only a comment": "# mine\n",
    "flag there": "flag: true # why\nblock: |\n  models:\n    x\n",
}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_settings_are_set_and_all_else_stays(text: str) -> None:
    before = yaml.safe_load(text) or {}
    after = yaml.safe_load(changed := merged(text, SETTINGS, ("name",)))
    item = {"name": "m", "url": "http://x/v1", "roles": ["chat"]}
    there = before.get("models") or []
    models = [item if one["name"] == "m" else one for one in there]
    assert after == {
        "name": "MLX",
        **before,
        "flag": False,
        "models": models if item in models else [*models, item],
    }
    for comment in ("# mine", "# why", "# first", "# there", "# rules", "# end"):
        assert (comment in text) == (comment in changed)
    assert merged(changed, SETTINGS, ("name",)) == changed


@each(
    ("text", "reason"),
    [
        ("a: [", "not valid YAML: look at line"),
        ("- a\n", "no settings with names"),
        ("models: x\n", "another form"),
        ("models: [{name: a}]\n", "in one line"),
        ('"flag": true\n', "in another form"),
    ],
)
def test_a_file_that_only_its_owner_can_change_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Unmergeable, match=reason):
        merged(text, SETTINGS)
