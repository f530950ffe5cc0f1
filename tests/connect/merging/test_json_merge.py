import json

import pytest

from inference.connect.merging.errors import Unmergeable
from inference.connect.merging.json_merge import merged
from tests.each import each

SETTINGS = '{"env": {"A": "1", "B": "2"}, "model": "m"}'
FILES = {
    "comments": '// mine\n{\n  "theme": "dark", // why\n'
    '  "env": {\n    "A": "0", // old\n    "C": "3" // last\n  }\n}\n',
    "trailing commas": '{\n    "env": {\n        "C": "3",\n    },\n}\n',
    "one line": '{"env": {"C": "3"}, "x": [1, 2]}\n',
    "empty object": "{}\n",
    "empty inside": '{\n\t"env": {\n\t\t// nothing yet\n\t},\n\t"x": 1 /* end */\n}',
}


def without_comments(text: str) -> str:
    return "\n".join(line.partition("//")[0].partition("/*")[0] for line in text.split("\n"))


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_settings_are_set_and_all_else_stays(text: str) -> None:
    from inference.connect.merging import jsonc

    before, after = jsonc.read(text).value, jsonc.read(changed := merged(text, SETTINGS)).value
    assert after == {**before, "env": {**before.get("env", {}), "A": "1", "B": "2"}, "model": "m"}
    for comment in ("// mine", "// why", "// old", "// last", "// nothing yet", "/* end */"):
        assert (comment in text) == (comment in changed)
    assert merged(changed, SETTINGS) == changed


def test_a_comment_stays_beside_its_setting_and_the_indent_is_the_files_own() -> None:
    changed = merged(FILES["comments"], SETTINGS)
    assert changed == (
        '// mine\n{\n  "theme": "dark", // why\n  "env": {\n    "A": "1", // old\n    "C": "3", // last\n'
        '    "B": "2"\n  },\n  "model": "m"\n}\n'
    )
    assert '\n        "A": "1",\n' in merged(FILES["trailing commas"], SETTINGS)


def test_what_is_kept_is_set_only_where_it_is_missing() -> None:
    assert json.loads(merged('{"model": "own"}', SETTINGS, ("model",)))["model"] == "own"
    assert json.loads(merged("{}", SETTINGS, ("model",)))["model"] == "m"


@each(
    ("text", "reason"),
    [("[]", "no JSON object"), ('{"env": 1}', "'env' is not an object"), ("{\n oops", "look at line 2")],
)
def test_a_file_of_another_form_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Unmergeable, match=reason):
        merged(text, SETTINGS)
