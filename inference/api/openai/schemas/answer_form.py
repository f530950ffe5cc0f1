"""The form of an answer, enforced while it is decoded: a JSON schema, a choice, a regex or a grammar.

The names are those of OpenAI (`response_format`), vLLM (`structured_outputs`, `guided_*`) and llama.cpp
(`grammar`, `json_schema`).
"""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, Tag, model_validator

from inference.api.http.strict_schema import Part, either, unsupported, wrong
from inference.api.openai.schemas.shared_fields import FormName, SchemaStrictness
from inference.api.openai.schemas.token_fields import TokenFields
from inference.api.openai.schemas.tools import JsonSchema
from inference.core.requests import AnswerGrammar

_GrammarText = Annotated[str, Field(min_length=1, max_length=100_000)]
Choice = Annotated[list[Annotated[str, Field(max_length=10_000)]], Field(min_length=1, max_length=1000)]
JsonForm = Annotated[
    Annotated[JsonSchema, Tag("<object>")] | Annotated[_GrammarText, Tag("<text>")],
    either({"<object>": dict, "<text>": str}, "a JSON schema, as an object or as its JSON text"),
]
_ANY_OBJECT = '{"type":"object"}'


class SchemaBody(Part):
    """The schema that the answer follows."""

    noted = {"description": "the model does not read it; add it to a message."}

    name: FormName = Field(
        "answer", description="A label of up to 256 characters; the model does not read it."
    )
    schema_: JsonSchema = Field(
        alias="schema",
        description=(
            "The JSON Schema. With `strict`, a keyword that cannot be enforced is refused, and the "
            "error names it."
        ),
    )
    strict: SchemaStrictness = None


class Structure(Part):
    """One part of an answer that has a form."""

    begin: Annotated[str, Field(min_length=1, max_length=1000)] = Field(
        description="The text at its beginning."
    )
    schema_: JsonSchema = Field(alias="schema", description="The JSON Schema of the text in between.")
    end: Annotated[str, Field(max_length=1000)] = Field(description="The text at its end.")


class StructuralTag(Part):
    """Parts of a free text that have a form, as vLLM and SGLang describe them."""

    type: Literal["structural_tag"] = Field("structural_tag", description="`structural_tag`.")
    structures: Annotated[list[Structure], Field(min_length=1, max_length=128)] = Field(
        description="The structures; each `begin` starts with one of the triggers."
    )
    triggers: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=1000)]], Field(min_length=1, max_length=128)
    ] = Field(description="Texts that start a structure.")

    @model_validator(mode="after")
    def _check_triggers(self) -> Self:
        for place, structure in enumerate(self.structures):
            if not structure.begin.startswith(tuple(self.triggers)):
                raise wrong("no_trigger", "It begins with none of the triggers", f"structures.{place}.begin")
        return self

    def text(self) -> str:
        """JSON text of `trigger`, `begin`, `schema` and `end` of each part."""
        return json.dumps(
            [
                {
                    "trigger": next(one for one in self.triggers if structure.begin.startswith(one)),
                    "begin": structure.begin,
                    "schema": structure.schema_,
                    "end": structure.end,
                }
                for structure in self.structures
            ]
        )


class ResponseFormat(Part):
    type: Literal["text", "json_object", "json_schema", "regex", "grammar", "structural_tag"] = Field(
        description=(
            "`text`; `json_object`: any JSON object; `json_schema`: JSON that follows the schema; `regex`, "
            "`grammar` and `structural_tag`: as in `structured_outputs`. Enforced during decoding, after "
            "any reasoning."
        )
    )
    json_schema: SchemaBody | None = Field(
        None, description="With the type `json_schema`; required unless there is a `schema`."
    )
    schema_: JsonSchema | None = Field(
        None,
        alias="schema",
        description="llama.cpp's and Together's field for the schema of both JSON types.",
    )
    pattern: _GrammarText | None = Field(None, description="With the type `regex`, and required there.")
    grammar: _GrammarText | None = Field(None, description="With the type `grammar`, and required there.")
    structures: list[Structure] | None = Field(None, description="With the type `structural_tag`.")
    triggers: list[str] | None = Field(None, description="With the type `structural_tag`.")

    @model_validator(mode="after")
    def _check_type_fields(self) -> Self:
        needed = {"json_schema": "json_schema", "regex": "pattern", "grammar": "grammar"}
        for kind, field in needed.items():
            is_there = getattr(self, field) is not None or (
                kind == "json_schema" and self.schema_ is not None
            )
            if self.type == kind and not is_there:
                raise wrong("no_form", "It is required with this type", field)
            if self.type != kind and getattr(self, field) is not None:
                raise wrong("no_form", f"It is for the type {kind} only", field)
        if self.schema_ is not None and (self.json_schema or not self.type.startswith("json")):
            raise wrong("no_form", "It is for the JSON types without json_schema only", "schema")
        if self.type == "structural_tag":
            self.tag()
        return self

    def tag(self) -> StructuralTag:
        """The parts of the type `structural_tag`."""
        if self.structures is None or self.triggers is None:
            raise wrong(
                "no_form", "It is required with this type", "triggers" if self.structures else "structures"
            )
        return StructuralTag(structures=self.structures, triggers=self.triggers)

    @property
    def schema_text(self) -> str:
        """JSON text of the schema to be enforced; empty for other forms."""
        if not self.type.startswith("json"):
            return ""
        schema = self.json_schema.schema_ if self.json_schema else self.schema_
        return _ANY_OBJECT if schema is None else json.dumps(schema)

    @property
    def answer_grammar(self) -> AnswerGrammar | None:
        """The form that is no JSON schema, if it is one."""
        match self.type:
            case "regex":
                return AnswerGrammar(kind="regex", text=self.pattern or "")
            case "grammar":
                return AnswerGrammar(kind="grammar", text=self.grammar or "")
            case "structural_tag":
                return AnswerGrammar(kind="structural_tag", text=self.tag().text())
        return None


class StructuredOutputs(Part):
    """vLLM's description of the form of an answer; one of these."""

    noted = dict.fromkeys(
        ("backend", "disable_any_whitespace", "disable_additional_properties", "disable_fallback"),
        "schemas are enforced unchanged, in the layout that models use for JSON.",
    ) | {"whitespace_pattern": "JSON has the layout that models use."}

    json_: JsonForm | None = Field(None, alias="json", description="A JSON Schema, or its text.")
    json_object: bool | None = Field(None, description="`true`: any JSON object.")
    choice: Choice | None = Field(None, description="The answer is exactly one of these texts.")
    regex: _GrammarText | None = Field(
        None, description="A regular expression that the complete answer matches."
    )
    grammar: _GrammarText | None = Field(
        None, description="A grammar that the answer follows, in llguidance's Lark or llama.cpp's GBNF."
    )
    structural_tag: StructuralTag | None = Field(
        None, description="Free text in which a trigger starts one of the structures."
    )


class FormFields(TokenFields):
    """The fields that say which form an answer has to have; at most one of them."""

    noted = {
        **TokenFields.noted,
        "guided_decoding_backend": "there is only one.",
        "guided_whitespace_pattern": "JSON has the layout that models use.",
    }

    response_format: ResponseFormat | None = Field(
        None,
        description=(
            "The format of the answer. If the model may call tools, the answer is either a call or has "
            "this format."
        ),
    )
    structured_outputs: StructuredOutputs | None = Field(None, description="vLLM's name of the format.")
    guided_json: JsonForm | None = Field(None, description="The same as `structured_outputs.json`.")
    guided_choice: Choice | None = Field(None, description="The same as `structured_outputs.choice`.")
    guided_regex: _GrammarText | None = Field(None, description="The same as `structured_outputs.regex`.")
    guided_grammar: _GrammarText | None = Field(None, description="The same as `structured_outputs.grammar`.")
    json_schema: JsonSchema | None = Field(
        None, description="llama.cpp's. The same as `structured_outputs.json`."
    )
    grammar: _GrammarText | None = Field(
        None, description="llama.cpp's. The same as `structured_outputs.grammar`."
    )

    @model_validator(mode="after")
    def _check_form(self) -> Self:
        found = list(self._forms())
        if len(found) > 1:
            raise wrong("two_forms", f"There is {found[0][0]} already; send one of them", found[1][0])
        if found and self.ignore_eos:
            raise unsupported("<field> is not supported together with a form of the answer.", "ignore_eos")
        return self

    @property
    def schema_text(self) -> str:
        """JSON text of the schema that the answer has to follow; empty for none."""
        return next((text for _, text, _ in self._forms()), "")

    @property
    def has_strict_schema(self) -> bool:
        """Whether the schema is refused where a part of it cannot be enforced."""
        form = self.response_format
        return bool(form and form.json_schema and form.json_schema.strict)

    @property
    def answer_grammar(self) -> AnswerGrammar | None:
        """The form that the answer has to have where it is no JSON schema."""
        return next((grammar for _, _, grammar in self._forms()), None)

    @property
    def own_names(self) -> Mapping[str, str]:
        path = next((path for path, _, _ in self._forms()), "")
        if not path or path == "response_format":
            return super().own_names
        return {**super().own_names, "response_format": path, "response_format.json_schema.schema": path}

    def _forms(self) -> Iterator[tuple[str, str, AnswerGrammar | None]]:
        """Path, JSON schema or else grammar of each form that was sent; `text` is none."""
        if (form := self.response_format) and form.type != "text":
            yield "response_format", form.schema_text, form.answer_grammar
        own = self.structured_outputs or StructuredOutputs()
        sent: list[tuple[str, str, Any]] = [
            ("structured_outputs.json", "json", own.json_),
            ("guided_json", "json", self.guided_json),
            ("json_schema", "json", self.json_schema),
            ("structured_outputs.json_object", "json", {"type": "object"} if own.json_object else None),
            ("structured_outputs.choice", "choice", own.choice),
            ("guided_choice", "choice", self.guided_choice),
            ("structured_outputs.regex", "regex", own.regex),
            ("guided_regex", "regex", self.guided_regex),
            ("structured_outputs.grammar", "grammar", own.grammar),
            ("guided_grammar", "grammar", self.guided_grammar),
            ("grammar", "grammar", self.grammar),
            ("structured_outputs.structural_tag", "structural_tag", own.structural_tag),
        ]
        yield from ((path, *_form_of(kind, value, path)) for path, kind, value in sent if value is not None)


def _form_of(kind: str, value: Any, path: str) -> tuple[str, AnswerGrammar | None]:
    """The JSON text of a schema, or else the grammar, of a form of this kind."""
    match kind:
        case "json":
            return _text_of(value, path), None
        case "choice":
            return "", AnswerGrammar(kind="choice", text=json.dumps(value))
        case "regex":
            return "", AnswerGrammar(kind="regex", text=value)
        case "grammar":
            return "", AnswerGrammar(kind="grammar", text=value)
    return "", AnswerGrammar(kind="structural_tag", text=value.text())


def _text_of(schema: JsonSchema | str, path: str) -> str:
    """JSON text of a schema that may be sent as its text."""
    if not isinstance(schema, str):
        return json.dumps(schema)
    try:
        parsed = json.loads(schema)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise wrong("no_schema", "It must be a JSON schema, as an object or as its JSON text", path)
    return json.dumps(parsed)
