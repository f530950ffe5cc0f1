"""The settings about pictures in requests."""

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from inference.core import addresses


class PictureLimits(BaseSettings):
    """How large pictures may be, and how many a request may have."""

    picture_body_bytes: int = Field(
        48 * 2**20,
        ge=1024,
        description="Maximum size in bytes of a request body that may have pictures; larger ones get 413.",
    )
    picture_bytes: int = Field(20 * 2**20, ge=1024, description="Maximum size of a picture file in bytes.")
    picture_pixels: int = Field(
        50_000_000, ge=1, le=500_000_000, description="Maximum size of a picture in pixels, width × height."
    )
    picture_count: int = Field(
        32, ge=0, le=1024, description="Maximum number of pictures in one conversation; 0 for none."
    )
    picture_tokens: int = Field(
        4096,
        ge=64,
        le=65_536,
        description="Maximum number of tokens for one picture; larger pictures are scaled down.",
    )
    pictures_in_memory: int = Field(
        512 * 2**20,
        ge=2**20,
        description="Maximum bytes of pictures in all waiting and running requests; further ones get 429.",
    )
    picture_hosts: str = Field(
        "",
        description=(
            "Hosts that pictures may be fetched from, such as `img.example`, separated by commas; never `*`."
        ),
    )

    @field_validator("picture_hosts")
    @classmethod
    def _are_hosts(cls, value: str) -> str:
        return ",".join(addresses.fetched_host(name) for name in value.split(",") if name.strip())

    @property
    def picture_host_list(self) -> list[str]:
        return self.picture_hosts.split(",") if self.picture_hosts else []
