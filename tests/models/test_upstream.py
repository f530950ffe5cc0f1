import pytest
from django.core.exceptions import ValidationError

from inference.models import Upstream, UpstreamModel

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://a/v1", "file:///etc/passwd", "gopher://a", "a:8000/v1", "http://", "http:///v1", ""),
        *("http://ann:pw@a/v1", "http://a/v1?x=1", "http://a/v1#x", "http://a b/v1", "http://a:99999/v1"),
        *("http://a/\nv1", "http://ä/v1", "javascript:alert(1)", "http://[::1"),
    ],
)
def test_what_is_no_base_url_is_refused(url: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Upstream(name="a", base_url=url).full_clean()
    assert list(refused.value.message_dict) == ["base_url"]


@pytest.mark.parametrize(
    ("url", "host", "name"),
    [
        ("https://llm.example/v1/", "llm.example", "llm.example"),
        ("http://127.0.0.1:8000/v1", "127.0.0.1:8000", "127.0.0.1"),
        ("http://[::1]:8000", "[::1]:8000", "[::1]"),
        ("http://LLM.example:80/v1", "llm.example:80", "llm.example"),
    ],
)
def test_its_host_is_compared_with_the_setting(url: str, host: str, name: str) -> None:
    row = Upstream(name="a", base_url=url)
    row.full_clean()
    assert (row.host, row.host_name) == (host, name)
    assert not row.base_url.endswith("/")


@pytest.mark.parametrize("name", ["", "a b", "-a", "a/b", "ä"])
def test_names_are_plain(name: str) -> None:
    with pytest.raises(ValidationError):
        Upstream(name=name, base_url="http://a/v1").full_clean()


@pytest.mark.parametrize("model", ["", "a b", "/a", "a:b", "*"])
def test_ids_of_models_are_plain(model: str) -> None:
    row = Upstream.objects.create(name="a", base_url="http://a/v1")
    with pytest.raises(ValidationError):
        UpstreamModel(upstream=row, model=model).full_clean()
    UpstreamModel(upstream=row, model="org/big-7B@4bit", name="anything: here").full_clean()


def test_a_model_is_called_the_same_there_unless_it_has_another_name() -> None:
    assert UpstreamModel(model="a").name_there == "a"
    assert UpstreamModel(model="a", name="b").name_there == "b"
