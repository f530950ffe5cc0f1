"""The settings about models that several ranks compute."""

from functools import cache
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from inference.core import rank_hosts
from inference.core.rank_hosts import RankHosts, RanksBackend


class RankSettings(BaseSettings):
    """Where ranks run, and how they exchange their sums."""

    ranks_backend: RanksBackend = Field(
        "ring",
        description="Backend that connects the ranks of a model: `ring`, `jaccl`, `jaccl-ring` or `nccl`.",
    )
    ranks_port: int = Field(32323, ge=1024, le=65000, description="First port for ranks on several machines.")
    hosts_file: Path | None = Field(
        None,
        description=(
            "File with the machines for ranks, as for `mlx.launch --hostfile`; none uses this machine."
        ),
    )

    @field_validator("hosts_file", mode="before")
    @classmethod
    def _is_a_hosts_file(cls, value: Path | str | None) -> Path | None:
        if value is None or not str(value).strip():
            return None
        path = Path(value).expanduser()
        rank_hosts.read(path)
        return path

    @property
    def rank_hosts(self) -> RankHosts | None:
        """The machines of the hosts file; None where all ranks run on this one.

        A change of the file applies from the next start on. Raises ValueError.
        """
        return _read_once(self.hosts_file) if self.hosts_file else None


@cache
def _read_once(path: Path) -> RankHosts:
    return rank_hosts.read(path)
