"""A process renders: whatever a template does is one error soon, in little memory, and the next one works."""

import os
import resource
import signal
import threading
import time
from collections.abc import Iterator

import psutil
import pytest

from inference.core.errors import TemplateFailed, Unavailable
from inference.worker.rendering.template_renderer import Rendering, TemplateRenderer
from tests.nightly import of_each_kind

TOO_MUCH = "takes too much memory on these messages"
TOO_LONG = "takes too long on these messages"
FAILED = "failed on these messages"
LIMIT_S = 1.5
LOOP = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
GROW = "{% for i in range(60) %}{% set ns.x = "
HOSTILE = {
    "a text": "{{ 'x' * 10**10 }}",
    "a text that is not known before": "{{ messages[0].content * 10**10 }}",
    "a list": "{{ ([0] * messages[0].content | length * 10**10) | length }}",
    "joined": "{{ ([messages[0].content * 10**6] * 10**5) | join }}",
    "joined by a method": "{{ (messages[0].content * 10**5).join('y' * 10**6) }}",
    "a tilde": "{% set ns = namespace(x='xx') %}" + GROW + "ns.x ~ ns.x %}{% endfor %}{{ ns.x }}",
    "a plus": "{% set ns = namespace(x=[1]) %}" + GROW + "ns.x + ns.x %}{% endfor %}{{ ns.x }}",
    "a block": "{% set ns = namespace(x='x') %}{% for i in range(60) %}"
    "{% set y %}{{ ns.x }}{{ ns.x }}{% endset %}{% set ns.x = y %}{% endfor %}{{ ns.x }}",
    "a format filter": "{{ '%*d' | format(10**9 * 2, 1) }}",
    "a format method": "{{ ('{:' ~ 10**10 ~ '}').format(messages[0].content) }}",
    "a percent sign": "{{ ('%' ~ 10**9 * 2 ~ 'd') % 1 }}",
    "a width": "{{ messages[0].content | center(10**10) }}",
    "replaced": "{{ ('x' * 10**5) | replace('x', 'y' * 10**6) }}",
    "indented": "{{ ('x\n' * 10**5) | indent('y' * 10**6) }}",
    "JSON": "{{ [[[[[1]]]]] | tojson(indent=10**9) }}",
    "generated": "{{ lipsum(n=10**5, max=10**5) }}",
    "a dictionary": "{% set ns = namespace(d={}) %}{% for i in range(99999) %}{% for j in range(9) %}"
    "{% set ns.d = dict(ns.d, **{'k' ~ i ~ j: 'x' * 10**5 ~ i}) %}{% endfor %}{% endfor %}",
}
GATE = ["a text that is not known before", "joined", "a tilde", "a block", "a format method", "a dictionary"]
ENDLESS = {
    "loops": LOOP,
    "loops that write": "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
    "a macro of two calls": "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}"
    "{{ f(60) }}",
    "a power": "{{ (10 ** 10 ** messages | length) ** (10 ** 7) }}",
}


@pytest.fixture(scope="module")
def renderer() -> Iterator[TemplateRenderer]:
    renderer = TemplateRenderer()
    renderer.wait_ready()
    yield renderer
    renderer.close()


def rendering(template: str, content: str = "x", most_text: int = 10_000_000) -> Rendering:
    return Rendering(
        template, [{"role": "user", "content": content}], [], True, {"bos_token": "<s>"}, most_text
    )


def failure(renderer: TemplateRenderer, template: str, limit_s: float = LIMIT_S) -> str:
    with pytest.raises(TemplateFailed) as failed, renderer.within(limit_s):
        renderer.render(rendering(template))
    assert failed.value.param == "messages"
    return failed.value.message


def is_working(renderer: TemplateRenderer) -> bool:
    return renderer.render(rendering("{{ bos_token }}{{ messages[0].content }}")) == "<s>x"


def children_peak_bytes() -> int:
    """The most memory that any ended child of this process had."""
    unit = 1 if os.uname().sysname == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit


@pytest.mark.parametrize("kind", of_each_kind(HOSTILE, GATE))
def test_a_template_that_fills_the_memory_is_an_error_soon(renderer: TemplateRenderer, kind: str) -> None:
    began = time.monotonic()
    message = failure(renderer, HOSTILE[kind], limit_s=8)
    assert TOO_MUCH in message or TOO_LONG in message or FAILED in message
    assert time.monotonic() - began < 20
    assert is_working(renderer)
    assert children_peak_bytes() < 2**30 + 2**28


@pytest.mark.parametrize("template", ENDLESS.values(), ids=ENDLESS)
def test_a_template_without_end_is_ended(renderer: TemplateRenderer, template: str) -> None:
    began = time.monotonic()
    assert TOO_LONG in failure(renderer, template)
    assert time.monotonic() - began < LIMIT_S + 10
    assert is_working(renderer)


def test_a_macro_that_calls_itself_for_ever_fails_and_its_process_goes_on(renderer: TemplateRenderer) -> None:
    assert is_working(renderer)
    pid = renderer.pid
    assert FAILED in failure(renderer, "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}")
    assert is_working(renderer) and renderer.pid == pid


def test_memory_is_watched_from_outside_too(renderer: TemplateRenderer) -> None:
    """As on macOS, where a process cannot limit its address space: this is less than the limit on Linux."""
    began = time.monotonic()
    taken = "{% set x = messages[0].content * 700_000_000 %}"
    assert TOO_MUCH in failure(renderer, taken + LOOP, limit_s=30)
    assert time.monotonic() - began < 15
    assert is_working(renderer)


def test_several_renderings_share_the_time_of_their_block(renderer: TemplateRenderer) -> None:
    with renderer.within(LIMIT_S):
        with pytest.raises(TemplateFailed, match=TOO_LONG):
            renderer.render(rendering(LOOP))
        with pytest.raises(TemplateFailed, match=TOO_LONG):
            renderer.render(rendering("x"))
    assert is_working(renderer)


def test_a_long_conversation_may_take_more(renderer: TemplateRenderer) -> None:
    long = "\N{GRINNING FACE}" * 10_000_000
    assert renderer.render(rendering("{{ messages[0].content ~ 'x' }}", long, 10_000_001)) == long + "x"


def test_what_was_written_beyond_measure_is_not_passed_on(renderer: TemplateRenderer) -> None:
    assert renderer.render(rendering("{{ 'x' * 100 }}", most_text=100)) == "x" * 100
    with pytest.raises(TemplateFailed, match="far more than the messages"):
        renderer.render(rendering("{{ 'x' * 101 }}", most_text=100))


def test_every_text_arrives_as_it_is(renderer: TemplateRenderer) -> None:
    odd = 'a\0\ud800\u2028"\\é\ufdd0\N{GRINNING FACE}'
    assert renderer.render(rendering("{{ messages[0].content }}", odd)) == odd


def test_one_that_dies_at_a_template_costs_this_one(renderer: TemplateRenderer) -> None:
    assert is_working(renderer)
    pid = renderer.pid
    assert pid
    killing = threading.Timer(0.3, os.kill, (pid, signal.SIGKILL))
    killing.start()
    assert FAILED in failure(renderer, LOOP, limit_s=20)
    assert is_working(renderer) and renderer.pid != pid


def test_one_that_was_killed_between_two_is_replaced(renderer: TemplateRenderer) -> None:
    process = psutil.Process(renderer.pid)
    process.kill()
    process.wait(20)
    assert is_working(renderer)


def test_one_that_has_not_started_yet_is_waited_for_in_the_time_of_the_block() -> None:
    renderer = TemplateRenderer()
    with pytest.raises(Unavailable, match="too busy"), renderer.within(0.01):
        renderer.render(rendering("x"))
    pid = renderer.pid
    assert is_working(renderer) and renderer.pid == pid
    renderer.close()


def test_it_has_nothing_to_close_before_its_first_template() -> None:
    renderer = TemplateRenderer()
    renderer.close()
    assert renderer.pid is None
