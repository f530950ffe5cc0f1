"""The form of an answer that is no JSON schema, as a rule of llguidance's Lark.

https://github.com/guidance-ai/llguidance/blob/main/docs/syntax.md
"""

import json
import re

from llguidance import StructTag
from llguidance.gbnf_to_lark import any_to_lark

from inference.core.errors import InvalidValue
from inference.core.requests import AnswerGrammar
from inference.worker.sampling.grammar_errors import first_line

_OPTIONS = re.compile(r"(?m)^\s*%llguidance\b.*$")  # only a grammar that is not nested may have them


def form_rule(grammar: AnswerGrammar, field: str) -> str:
    """The rule `form`; InvalidValue names `field` if the text is no grammar of its kind."""
    match grammar.kind:
        case "choice":
            return "form: " + " | ".join(map(json.dumps, json.loads(grammar.text)))
        case "regex":
            return f"form: /{_regex(grammar.text)}/"
        case "structural_tag":
            return f"form: %lark {{\n{_OPTIONS.sub('', _tags(grammar.text))}\n}}"
    try:
        lark = any_to_lark(grammar.text)
    except Exception as error:  # llguidance's own parser of GBNF raises whatever it meets
        raise InvalidValue(f"The grammar cannot be read: {first_line(str(error))}", param=field) from None
    return f"form: %lark {{\n{_OPTIONS.sub('', lark)}\n}}"


def _regex(text: str) -> str:
    """The expression between slashes; it matches as a whole, so anchors at its ends add nothing."""
    plain = re.sub(r"(?<!\\)((?:\\\\)*)\$$", r"\1", text.removeprefix("^"))
    return re.sub(r"(?<!\\)((?:\\\\)*)/", r"\1\\/", plain).replace("\n", "\\n")


def _tags(text: str) -> str:
    """Free text, in which each trigger begins a part that follows its schema."""
    tags = [
        StructTag(trigger=one["trigger"], begin=one["begin"], grammar=one["schema"], end=one["end"])
        for one in json.loads(text)
    ]
    return StructTag.to_grammar(tags, assume_special=False)
