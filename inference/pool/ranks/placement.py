"""Where the ranks of a model run, and the settings with which they find each other, as in mlx.launch."""

import json
import socket
from contextlib import ExitStack

from msgspec import Struct

from inference.core.rank_hosts import RankHost, RankHosts, RanksBackend

_HERE = RankHost(ssh="127.0.0.1", ips=("127.0.0.1",))


class RankSetup(Struct, frozen=True, kw_only=True):
    """How ranks are connected; without `hosts` all of them run on this machine."""

    backend: RanksBackend = "ring"
    port: int = 32323  # the first one, on several machines
    hosts: RankHosts | None = None

    def local(self, ranks: int) -> int:
        """How many of the ranks of a model run on this machine."""
        return sum(host.is_local for host in self._hosts(ranks))

    def placements(self, ranks: int) -> "list[Placement]":
        """Where each rank runs; raises ValueError if there are too few machines."""
        hosts = self._hosts(ranks)
        if len(hosts) < ranks:
            raise ValueError(
                f"{ranks} ranks are chosen for it, and the hosts file names {len(hosts)} machines"
            )
        shared = dict(one.split("=", 1) for one in self.hosts.envs) if self.hosts else {}
        backend = self._backend_settings(hosts)
        return [
            Placement(
                rank=rank,
                host=host,
                variables=shared | backend.variables | {"MLX_RANK": str(rank)},
                files=backend.files,
            )
            for rank, host in enumerate(hosts)
        ]

    def _hosts(self, ranks: int) -> tuple[RankHost, ...]:
        return self.hosts.hosts[:ranks] if self.hosts else (_HERE,) * ranks

    def _backend_settings(self, hosts: tuple[RankHost, ...]) -> "BackendSettings":
        """The environment variables and files with which the backend connects the ranks."""
        port = self.port if self.hosts else free_ports(1)[0]
        match self.backend:
            case "ring":
                ports = range(self.port, self.port + len(hosts)) if self.hosts else free_ports(len(hosts))
                ring = [[f"{host.ips[0]}:{port}"] for host, port in zip(hosts, ports, strict=True)]
                return BackendSettings(files={"MLX_HOSTFILE": json.dumps(ring)})
            case "nccl":
                variables = {"NCCL_HOST_IP": hosts[0].ips[0], "NCCL_PORT": str(port)}
                return BackendSettings(variables=variables | {"MLX_WORLD_SIZE": str(len(hosts))})
        devices = [host.rdma[: len(hosts)] for host in hosts]
        variables = {"MLX_JACCL_COORDINATOR": f"{hosts[0].ips[0]}:{port}"}
        if self.backend == "jaccl-ring":
            variables["MLX_JACCL_RING"] = "1"
        return BackendSettings(variables=variables, files={"MLX_IBV_DEVICES": json.dumps(devices)})


class BackendSettings(Struct, frozen=True, kw_only=True):
    """Variables of the environment, and files whose names are in variables."""

    variables: dict[str, str] = {}
    files: dict[str, str] = {}


class Placement(Struct, frozen=True, kw_only=True):
    """One rank: its machine, and its environment. `files` are contents, by the variable with their name."""

    rank: int
    host: RankHost
    variables: dict[str, str]
    files: dict[str, str]


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nothing listens on now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
