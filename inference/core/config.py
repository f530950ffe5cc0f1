"""Every setting an operator may give, read from MLX_SERVER_* and refused with a clear message when wrong."""

from functools import lru_cache
from pathlib import Path
from shutil import disk_usage
from typing import Literal

import psutil
from django.core.exceptions import ImproperlyConfigured
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsConfigDict

from inference.core import addresses, installation
from inference.core.byte_amounts import bytes_or_zero, parse_bytes
from inference.core.database_setting import DatabaseSettings
from inference.core.folder_setting import FolderSettings
from inference.core.installation import INSTALLATION
from inference.core.model_card import KV_BITS
from inference.core.openid_settings import OpenIDSettings
from inference.core.picture_limits import PictureLimits
from inference.core.rank_settings import RankSettings
from inference.core.redis_settings import RedisSettings
from inference.core.residency_settings import ResidencySettings
from inference.core.secret_setting import check_secret

BASE_DIR = installation.BASE_DIR
PREFIX = "MLX_SERVER_"
# Settings with several addresses, by commas, and how each of them is written.
_ADDRESSES = {
    "allowed_hosts": addresses.host_name,
    "allowed_origins": addresses.origin,
    "origins": addresses.web_origin,
    "trusted_proxies": addresses.network,
    "upstream_hosts": addresses.upstream_host,
}


class Config(
    FolderSettings,
    ResidencySettings,
    PictureLimits,
    OpenIDSettings,
    RankSettings,
    RedisSettings,
    DatabaseSettings,
):
    """The operator's settings; docs/configuration.md lists each of them and a test compares the two."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=INSTALLATION.env_file, extra="ignore", frozen=True, allow_inf_nan=False
    )

    use_hub_cache: bool = Field(True, description="Also list the models in the Hugging Face cache.")
    starter: bool = Field(True, description="Download the starter model if there is no model yet.")
    host: str = Field("127.0.0.1", description="The address to listen on; beyond loopback a key is required.")
    port: int = Field(8000, ge=0, le=65535, description="The port to listen on; 0 picks a free one.")
    allowed_hosts: str = Field(
        "", description="Additional host names of this site, separated by commas; never `*`."
    )
    allowed_origins: str = Field(
        "", description="Origins of web pages and apps that may use `/v1`, separated by commas; never `*`."
    )
    origins: str = Field(
        "",
        description="Comma-separated URLs of this site behind a TLS proxy: `https://llm.example`.",
    )
    api_key: SecretStr | None = Field(
        None, min_length=1, description="The key that clients of /v1 must send; none needed on loopback."
    )
    trusted_proxies: str = Field(
        "",
        description="Comma-separated proxies (addresses or networks) with trusted `X-Forwarded-For`.",
    )
    upstream_hosts: str = Field(
        "", description="Hosts that upstreams may have, separated by commas; none allows any host."
    )
    upstream_silence_s: float = Field(
        600, gt=0, description="Seconds without data from an upstream before its answer fails."
    )
    admin_user: str = Field(
        "admin", pattern=r"^[\w.@+-]{1,150}$", description="Name of the account created at the first start."
    )
    admin_password: SecretStr | None = Field(
        None, description="Password of that account; none generates one."
    )
    admin_password_file: Path | None = Field(
        None, description="File with that password, such as a container secret."
    )
    memory_limit: str = Field(
        "75%", description="Memory that all models together may use: bytes, `12GB` or `75%`."
    )
    prefix_cache: str = Field(
        "10%",
        description="Size of each model's prefix cache: bytes, or a share of the limit; 0 for none.",
    )
    prefix_disk: str = Field(
        "0",
        description="Bytes of each model's prefix cache on disk, kept across restarts; 0 for none.",
    )
    stuck_after_s: float = Field(
        120, gt=0, description="Seconds without progress before a busy worker is replaced."
    )
    device: Literal["auto", "cpu", "gpu"] = Field("auto", description="Device that runs the models.")
    blas: str = Field("", description="Path of the BLAS library for CPU workers; none selects the best one.")
    cpu_calibration: Literal["auto", "off"] = Field(
        "auto", description="Measure once which kernels, threads and layouts are fastest on this CPU."
    )
    cpu_kernels: str = Field(
        "",
        pattern=r"^[A-Za-z0-9_]*$",
        description="OpenBLAS kernels for CPU workers, such as `Haswell`; none uses the measured ones.",
    )
    cpu_threads: int = Field(
        0, ge=0, le=1024, description="BLAS threads of a CPU worker; 0 uses the measured number."
    )
    cpu_layout: Literal["auto", "column", "row"] = Field(
        "auto", description="How CPU workers store weights; `auto` uses the measured layout of each shape."
    )
    wired_limit: str = Field(
        "0", description="Memory that macOS may wire for a model; 0 does not change the limit."
    )
    context_limit: int | None = Field(
        None, ge=16, description="Maximum context in tokens, if the model's own is longer."
    )
    max_output_tokens: int = Field(
        0, ge=0, description="Maximum length of an answer in tokens; 0 for no limit besides the context."
    )
    max_batch: int = Field(32, ge=1, le=256, description="Maximum number of sequences in a model's batch.")
    kv_bits: int = Field(
        0, description="Bits per value in the KV caches: 8, 4, or 0 to disable quantisation."
    )
    exact_seeds: bool = Field(
        False, description="Compute seeded requests without batching: exactly reproducible, but slower."
    )
    speculation: Literal["lookup", "off"] = Field(
        "lookup", description="Speculative decoding: prompt `lookup`, or `off`."
    )
    drain_s: float = Field(
        30, ge=0, le=3600, description="Seconds that running answers may continue after a SIGTERM."
    )
    prefill_step: int = Field(
        512, ge=16, le=8192, description="Prompt tokens processed between two decode steps."
    )
    response_days: int = Field(
        30,
        ge=1,
        le=3650,
        description="Days for which responses and unused conversations are stored.",
    )
    ollama: str = Field("/ollama", description="Path prefix of Ollama's API; empty disables it.")
    titles: bool = Field(True, description="Let the model generate titles for playground conversations.")
    unknown_fields: Literal["refuse", "note"] = Field(
        "refuse", description="Unknown request fields: `refuse` them, or `note` them in `x-mlx-noted`."
    )
    keep_alive: Literal["comment", "chunk", "off"] = Field(
        "comment", description="What a chat or completion stream sends every 10 seconds without other data."
    )
    queue_limit: int = Field(
        64, ge=0, description="Maximum number of waiting requests; further ones get 429."
    )
    max_body_bytes: int = Field(
        8 * 2**20, ge=1024, description="Maximum size of a request body in bytes; larger ones get 413."
    )
    load_timeout_s: float = Field(600, gt=0, description="Seconds before a load fails.")
    record_days: int = Field(
        30, ge=0, le=36_500, description="Days for which request records are kept; 0 keeps none."
    )
    record_rows: int = Field(100_000, ge=0, description="Maximum number of request records; 0 keeps none.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Minimum level of log messages."
    )
    log_format: Literal["text", "json"] = Field("text", description="Format of log lines: `text` or `json`.")
    access_log: bool = Field(False, description="Log one line for each HTTP request.")
    logfire_enabled: bool = Field(False, description="Send spans to Logfire (needs the extra `logfire`).")
    logfire_token: SecretStr | None = Field(
        None, description="Logfire's write token; none prints spans locally."
    )

    @field_validator("kv_bits")
    @classmethod
    def _is_a_number_of_bits(cls, value: int) -> int:
        if value not in KV_BITS:
            raise ValueError("give 8 or 4, or 0 to disable quantisation")
        return value

    @field_validator("memory_limit")
    @classmethod
    def _is_an_amount(cls, value: str) -> str:
        parse_bytes(value, total=1)
        return value

    @field_validator("wired_limit", "prefix_cache", "prefix_disk")
    @classmethod
    def _is_an_amountbytes_or_zero(cls, value: str) -> str:
        if value != "0":
            parse_bytes(value, total=1)
        return value

    @field_validator("host")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        return addresses.listening(value)

    @field_validator("allowed_hosts", "allowed_origins", "origins", "trusted_proxies", "upstream_hosts")
    @classmethod
    def _are_addresses(cls, value: str, field: ValidationInfo) -> str:
        parsed = _ADDRESSES[str(field.field_name)]
        return ",".join(parsed(name) for name in value.split(",") if name.strip())

    @field_validator("ollama")
    @classmethod
    def _is_a_free_path(cls, value: str) -> str:
        return addresses.free_path(value)

    @field_validator("api_key", "admin_password", "logfire_token")
    @classmethod
    def _is_a_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            check_secret(value.get_secret_value())
        return value

    @property
    def memory_limit_bytes(self) -> int:
        return parse_bytes(self.memory_limit, total=psutil.virtual_memory().total)

    @property
    def wired_limit_bytes(self) -> int:
        return bytes_or_zero(self.wired_limit, total=psutil.virtual_memory().total)

    @property
    def prefix_cache_bytes(self) -> int:
        return bytes_or_zero(self.prefix_cache, total=self.memory_limit_bytes)

    @property
    def prefix_disk_bytes(self) -> int:
        return bytes_or_zero(self.prefix_disk, total=disk_usage(self.data_dir).total)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the address we listen on."""
        return addresses.is_loopback(self.host)

    @property
    def is_open(self) -> bool:
        """Whether anybody on this machine may chat without a key or a login."""
        return not self.is_reachable and self.api_key is None

    @property
    def is_reachable(self) -> bool:
        """Whether other machines can reach this site: directly, or through a proxy."""
        return not self.is_loopback or any(
            not addresses.is_loopback(host) for host in map(addresses.host_of, self.own_origins)
        )

    @property
    def own_origins(self) -> list[str]:
        """Origins under which browsers know this site behind a proxy."""
        return self.origins.split(",") if self.origins else []

    @property
    def hosts(self) -> list[str]:
        """Host names the site answers to, for Django's ALLOWED_HOSTS."""
        named = self.allowed_hosts.split(",") if self.allowed_hosts else []
        own = [] if self.host in addresses.EVERYWHERE else [addresses.in_url(self.host)]
        public = [addresses.in_url(addresses.host_of(one)) for one in self.own_origins]
        local = addresses.local_names() if self.is_loopback else []
        return list(dict.fromkeys(["127.0.0.1", "localhost", "[::1]", *own, *named, *public, *local]))

    @property
    def allowed_upstream_hosts(self) -> list[str]:
        """Hosts, some with a port, that upstreams may have; none: any."""
        return self.upstream_hosts.split(",") if self.upstream_hosts else []

    @property
    def foreign_origins(self) -> list[str]:
        """Origins of other pages that may use `/v1`; one that ends with `://` stands for its whole scheme."""
        return self.allowed_origins.split(",") if self.allowed_origins else []


@lru_cache(maxsize=1)
def config() -> Config:
    """The settings of this process; ImproperlyConfigured names each wrong one."""
    try:
        return Config()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{INSTALLATION.env_file} cannot be read: {error}.") from None
    except ValidationError as error:
        wrong = "; ".join(
            f"{PREFIX}{'_'.join(map(str, e['loc'])).upper()}: {reason(e)}" for e in error.errors()
        )
        raise ImproperlyConfigured(
            f"{wrong}. {INSTALLATION.page('configuration.md')} lists every setting."
        ) from None


def reason(error: ErrorDetails) -> str:
    """Why a value was refused, without pydantic's prefix for where it was found."""
    return error["msg"].removeprefix("Value error, ")
