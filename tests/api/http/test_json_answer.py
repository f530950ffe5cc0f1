"""Structs and plain values are one JSON body."""

from msgspec import Struct

from inference.api.http.json_answer import json_answer


class Row(Struct):
    name: str


def test_a_value_is_the_body_and_says_that_it_is_json() -> None:
    answer = json_answer({"rows": [Row("é")], "last": None})
    assert answer.content == '{"rows":[{"name":"é"}],"last":null}'.encode()
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
