"""The settings about which models stay in memory, and what waits for them."""

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings


class ResidencySettings(BaseSettings):
    """How long models stay, how long requests wait, and whether a worker is ready for the next model."""

    idle_ttl_s: float = Field(
        -1, ge=-1, description="Seconds an idle model stays in memory; -1 for no limit."
    )
    min_residency_s: float = Field(
        5, ge=0, description="Minimum seconds a model stays in memory while another one waits."
    )
    spare_worker: bool = Field(
        True,
        description="Keep a started worker ready for the next load; it uses about 100 MB.",
    )
    wait_limit_s: float = Field(
        300, gt=0, description="Seconds a request waits for memory before it fails with 503."
    )

    @field_validator("idle_ttl_s")
    @classmethod
    def _is_a_time_or_for_ever(cls, value: float) -> float:
        if -1 < value < 0:
            raise ValueError("give 0 or more seconds, or -1 to keep models without a time limit")
        return value
