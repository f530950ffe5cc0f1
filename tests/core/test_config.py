from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from pydantic import ValidationError

from inference.core import config as module
from inference.core.config import Config
from tests.each import each


@each(
    "wrong",
    [
        {"memory_limit": "lots"},
        {"wired_limit": "-1"},
        {"allowed_hosts": "*"},
        {"allowed_hosts": "a.example,*"},
        {"allowed_origins": "*"},
        {"allowed_origins": "https://a.example,null"},
        {"allowed_origins": "https://a.example/path"},
        {"unknown_fields": "ignore"},
        {"port": 70000},
        {"port": -1},
        {"device": "tpu"},
        {"max_batch": 0},
        {"queue_limit": -1},
        {"max_body_bytes": 10},
        {"load_timeout_s": 0},
        {"load_timeout_s": "inf"},
        {"wait_limit_s": "nan"},
        {"idle_ttl_s": -0.5},
        {"idle_ttl_s": "1e400"},
        {"context_limit": 3},
        {"log_level": "LOUD"},
        {"kv_bits": 5},
        {"kv_bits": -4},
    ],
)
def test_it_refuses_wrong_settings(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Config(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", " ", "\t", " data", "data ", "da\nta", "~nobody-of-this-name/data"])
@pytest.mark.parametrize("name", ["data_dir", "models_dir"])
def test_it_refuses_what_is_no_folder(name: str, text: str) -> None:
    with pytest.raises(ValidationError):
        Config(**{name: text})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["data_dir", "models_dir"])
def test_it_refuses_a_file_in_the_place_of_a_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ValidationError, match="there is a file at"):
        Config(**{name: str(tmp_path / "file")})  # type: ignore[arg-type]


def test_a_folder_may_begin_with_ones_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MLX_SERVER_DATA_DIR", "~/studio")
    assert Config().data_dir == tmp_path / "studio"


@pytest.mark.parametrize("name", ["api_key", "admin_password", "logfire_token"])
@pytest.mark.parametrize("text", ["", " ", "secret ", "\tsecret", "sec\nret", "secret\n"])
def test_it_refuses_a_secret_that_nobody_can_send(name: str, text: str) -> None:
    with pytest.raises(ValidationError):
        Config(**{name: text})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("DATA_DIR", "", "MLX_SERVER_DATA_DIR: it is empty; name a folder, or unset it."),
        ("MODELS_DIR", "", "MLX_SERVER_MODELS_DIR: it is empty; name a folder, or unset it."),
        ("HOST", "", "MLX_SERVER_HOST: it is empty; give an address such as 127.0.0.1, or unset it."),
        ("KV_BITS", "16", "MLX_SERVER_KV_BITS: give 8 or 4, or 0 to disable quantisation."),
        (
            "ALLOWED_HOSTS",
            "a.example,http://x",
            "MLX_SERVER_ALLOWED_HOSTS: 'http://x' is not a host name: give it without http://, port or "
            "path: x.",
        ),
    ],
)
def test_what_is_refused_names_its_setting_and_the_way_out(
    name: str, text: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"MLX_SERVER_{name}", text)
    module.config.cache_clear()
    with pytest.raises(ImproperlyConfigured) as refused:
        module.config()
    assert str(refused.value) == f"{message} docs/configuration.md lists every setting."


@pytest.mark.parametrize("content", [b"\xff\xfeM\x00", "MLX_SERVER_HOST=m\xfcller".encode("latin-1")])
def test_a_file_of_settings_that_is_no_text_is_named(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".env").write_bytes(content)
    module.config.cache_clear()
    with pytest.raises(ImproperlyConfigured, match=r"^\.env cannot be read: .*utf-8"):
        module.config()


def test_it_names_each_wrong_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLX_SERVER_PORT", "many")
    monkeypatch.setenv("MLX_SERVER_DEVICE", "tpu")
    module.config.cache_clear()
    with pytest.raises(ImproperlyConfigured, match=r"(?s)MLX_SERVER_PORT.*MLX_SERVER_DEVICE"):
        module.config()


@each("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "[::1]", "LOCALHOST", "127.1"])
def test_loopback_without_a_key_is_open(host: str) -> None:
    assert Config(host=host).is_open


@each("host", ["0.0.0.0", "::", "192.168.1.5", "example.com"])  # noqa: S104
def test_no_other_address_is_open(host: str) -> None:
    assert not Config(host=host).is_loopback
    assert not Config(host=host).is_open


def test_a_key_closes_loopback() -> None:
    assert not Config(api_key="k").is_open


def test_it_answers_to_its_own_names_and_those_it_is_given() -> None:
    config = Config(host="192.168.1.5", allowed_hosts=" studio.local, ,127.0.0.1 ")
    assert config.hosts == ["127.0.0.1", "localhost", "[::1]", "192.168.1.5", "studio.local"]


@each("host", ["0.0.0.0", "::", "[::]", "0"])  # noqa: S104
def test_listening_everywhere_is_no_host_name(host: str) -> None:
    assert Config(host=host).hosts == ["127.0.0.1", "localhost", "[::1]"]


def test_its_own_address_is_a_host_name_as_browsers_send_it() -> None:
    assert Config(host="fe80::1").hosts[-1] == "[fe80::1]"


def test_models_live_in_the_data_folder_unless_set() -> None:
    assert Config(data_dir=Path("/d")).models_path == Path("/d/models")
    assert Config(models_dir=Path("/m")).models_path == Path("/m")


def test_it_never_shows_the_key() -> None:
    assert "sesame" not in repr(Config(api_key="sesame"))


def test_the_wired_limit_is_off_by_default() -> None:
    assert Config().wired_limit_bytes == 0


def test_an_empty_key_is_refused_rather_than_taken_for_one() -> None:
    with pytest.raises(ValidationError):
        Config(api_key="")


def test_an_address_behind_a_proxy_is_a_host_name_and_needs_a_key() -> None:
    config = Config(origins="https://LLM.example, https://llm.example:8443")
    assert config.own_origins == ["https://llm.example", "https://llm.example:8443"]
    assert config.hosts.count("llm.example") == 1
    assert (config.is_loopback, config.is_reachable, config.is_open) == (True, True, False)


def test_an_address_on_loopback_leaves_the_site_open() -> None:
    assert Config(origins="https://localhost:8443").is_open
