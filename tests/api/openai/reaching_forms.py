"""The same for the forms of an answer and for the limits on its tokens, which several bodies share."""

import json
from typing import Any

from inference.core.requests import AnswerGrammar

SCHEMA = {"type": "null"}
TEXT = json.dumps(SCHEMA)
TAG = {"structures": [{"begin": "<a>", "schema": SCHEMA, "end": "</a>"}], "triggers": ["<"]}
PARTS = AnswerGrammar(
    kind="structural_tag",
    text=json.dumps([{"trigger": "<", "begin": "<a>", "schema": SCHEMA, "end": "</a>"}]),
)
CHOICE = AnswerGrammar(kind="choice", text='["a", "b"]')
REGEX = AnswerGrammar(kind="regex", text="[0-9]+")
GRAMMAR = AnswerGrammar(kind="grammar", text='root ::= "a"')
FORMS: list[tuple[dict[str, Any], str, Any]] = [
    ({"response_format": {"type": "json_object"}}, "schema", '{"type":"object"}'),
    ({"response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}}}, "schema", TEXT),
    (
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "x", "strict": True, "schema": SCHEMA},
            }
        },
        "schema",
        TEXT,
    ),
    *(
        ({"response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA, "strict": value}}},)
        + ("has_strict_schema", value)
        for value in (True, False)
    ),
    ({"response_format": {"type": "json_object", "schema": SCHEMA}}, "schema", TEXT),
    ({"response_format": {"type": "regex", "pattern": REGEX.text}}, "grammar", REGEX),
    ({"response_format": {"type": "grammar", "grammar": GRAMMAR.text}}, "grammar", GRAMMAR),
    ({"response_format": {"type": "structural_tag"} | TAG}, "grammar", PARTS),
    ({"structured_outputs": {"json": SCHEMA}}, "schema", TEXT),
    ({"structured_outputs": {"json_object": True}}, "schema", TEXT.replace("null", "object")),
    ({"structured_outputs": {"choice": ["a", "b"]}}, "grammar", CHOICE),
    ({"structured_outputs": {"regex": REGEX.text}}, "grammar", REGEX),
    ({"structured_outputs": {"grammar": GRAMMAR.text}}, "grammar", GRAMMAR),
    ({"structured_outputs": {"structural_tag": TAG}}, "grammar", PARTS),
    ({"structured_outputs": {"structural_tag": {"type": "structural_tag"} | TAG}}, "grammar", PARTS),
    ({"guided_json": TEXT}, "schema", TEXT),
    ({"json_schema": SCHEMA}, "schema", TEXT),
    ({"guided_choice": ["a", "b"]}, "grammar", CHOICE),
    ({"guided_regex": REGEX.text}, "grammar", REGEX),
    ({"guided_grammar": GRAMMAR.text}, "grammar", GRAMMAR),
    ({"grammar": GRAMMAR.text}, "grammar", GRAMMAR),
]
LIMITS: list[tuple[dict[str, Any], str, Any]] = [
    ({"repetition_window": 7}, "sampling.repetition_window", 7),
    ({"xtc_probability": 0.5}, "sampling.xtc_probability", 0.5),
    ({"xtc_threshold": 0.3}, "sampling.xtc_threshold", 0.3),
    ({"dry_multiplier": 0.8}, "sampling.dry_multiplier", 0.8),
    ({"dry_base": 2}, "sampling.dry_base", 2.0),
    ({"dry_allowed_length": 5}, "sampling.dry_allowed_length", 5),
    ({"dry_penalty_last_n": 9}, "sampling.dry_window", 9),
    ({"dry_sequence_breakers": ["."]}, "sampling.dry_breakers", (".",)),
    ({"min_tokens": 3}, "rules.min_tokens", 3),
    ({"stop_token_ids": [3]}, "rules.stop_ids", (3,)),
    ({"allowed_token_ids": [3]}, "rules.allowed_ids", (3,)),
    ({"bad_words": ["no"]}, "rules.bad_words", ("no",)),
]
