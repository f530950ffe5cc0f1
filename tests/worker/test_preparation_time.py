"""Templates have half of the time of a prompt, and the whole of it is noticed."""

import time

import pytest

from inference.core.errors import TemplateFailed
from inference.worker.preparation_time import PreparationTime
from tests.adapters.family_models import hub_tokenizer

LOOP = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
HI = {"role": "user", "content": "hi"}


def test_it_is_over_once_one_prompt_took_longer_than_the_limit() -> None:
    preparation = PreparationTime(0.2)
    found = [preparation.is_over]
    with preparation.of_one():
        found.append(preparation.is_over)
        time.sleep(0.3)
        found.append(preparation.is_over)
    found.append(preparation.is_over)
    assert found == [False, False, True, False]


def test_a_template_without_end_is_ended_before_that() -> None:
    preparation = PreparationTime(4)
    began = time.monotonic()
    with preparation.of_one():
        with pytest.raises(TemplateFailed, match="too long"):
            hub_tokenizer(LOOP).render([HI], opens_answer=True)
        assert not preparation.is_over
    assert time.monotonic() - began > 1.9
