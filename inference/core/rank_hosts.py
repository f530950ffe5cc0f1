"""The machines that compute a model together, from a file in the form of `mlx.launch --hostfile`."""

from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

RanksBackend = Literal["ring", "jaccl", "jaccl-ring", "nccl"]
MAX_RANKS = 64
_LOCAL = frozenset({"127.0.0.1", "::1", "localhost"})


class RankHost(Struct, frozen=True, kw_only=True):
    """One machine: the name that ssh reaches it by, and how the other ranks do."""

    ssh: str
    ips: tuple[str, ...] = ()
    rdma: tuple[str | tuple[str, ...] | None, ...] = ()  # devices to each host, for JACCL; None to itself

    @property
    def is_local(self) -> bool:
        """Whether its rank is started without ssh."""
        return self.ssh in _LOCAL


class RankHosts(Struct, frozen=True, kw_only=True):
    """The machines, rank 0 first, and the variables that their processes get."""

    hosts: tuple[RankHost, ...]
    envs: tuple[str, ...] = ()  # NAME=value


def read(path: Path) -> RankHosts:
    """The machines of a hosts file; raises ValueError for a file that cannot be used."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=RankHosts | tuple[RankHost, ...])
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except msgspec.MsgspecError as error:
        raise ValueError(f"{path} is no hosts file of mlx.launch: {error}") from None
    hosts = found if isinstance(found, RankHosts) else RankHosts(hosts=found)
    _check(hosts, path)
    return hosts


def _check(found: RankHosts, path: Path) -> None:
    if len(found.hosts) < 2:
        raise ValueError(f"{path} names fewer than two machines")
    if not found.hosts[0].is_local:
        raise ValueError(f"the first machine of {path} has to be this one: give 127.0.0.1 as its `ssh`")
    for host in found.hosts:
        # A name that begins with a dash would be an option of ssh.
        if not host.ssh or host.ssh.startswith("-") or not host.ssh.isprintable() or " " in host.ssh:
            raise ValueError(f"{host.ssh!r} in {path} is no name that ssh could reach")
        if not host.ips:
            raise ValueError(f"{host.ssh} in {path} has no `ips`, by which the other machines reach it")
    for one in found.envs:
        if not one.partition("=")[0].isidentifier() or "=" not in one:
            raise ValueError(f"{one!r} in {path} is no NAME=value")
