import json

import pytest
from msgspec import structs

from inference.core.rank_hosts import RankHost, RankHosts
from inference.pool.ranks.placement import RankSetup, free_ports

HOSTS = RankHosts(
    hosts=(
        RankHost(ssh="127.0.0.1", ips=("10.0.0.1",), rdma=(None, "en2")),
        RankHost(ssh="mac2", ips=("10.0.0.2",), rdma=("en3", None)),
    ),
    envs=("MLX_METAL_FAST_SYNCH=1",),
)
SEVERAL = RankSetup(port=5000, hosts=HOSTS)


def test_on_this_machine_each_rank_has_a_free_port_of_its_own() -> None:
    first, second, third = RankSetup().placements(3)
    ring = json.loads(first.files["MLX_HOSTFILE"])
    assert len({address for (address,) in ring}) == 3
    assert all(address.startswith("127.0.0.1:") for (address,) in ring)
    assert [one.variables for one in (first, second, third)] == [{"MLX_RANK": str(rank)} for rank in range(3)]
    assert second.files == first.files and third.host.is_local
    assert RankSetup().local(3) == 3


def test_on_several_machines_the_ring_has_their_addresses() -> None:
    first, second = SEVERAL.placements(2)
    assert json.loads(second.files["MLX_HOSTFILE"]) == [["10.0.0.1:5000"], ["10.0.0.2:5001"]]
    assert second.variables == {"MLX_METAL_FAST_SYNCH": "1", "MLX_RANK": "1"}
    assert (first.host.is_local, second.host.ssh, SEVERAL.local(2)) == (True, "mac2", 1)


def test_more_ranks_than_machines_are_refused() -> None:
    with pytest.raises(ValueError, match="3 ranks are chosen for it, and the hosts file names 2 machines"):
        SEVERAL.placements(3)


def test_jaccl_and_nccl_are_told_what_mlx_launch_tells_them() -> None:
    (_, jaccl) = structs.replace(SEVERAL, backend="jaccl-ring").placements(2)
    assert json.loads(jaccl.files["MLX_IBV_DEVICES"]) == [[None, "en2"], ["en3", None]]
    assert jaccl.variables["MLX_JACCL_COORDINATOR"] == "10.0.0.1:5000"
    assert jaccl.variables["MLX_JACCL_RING"] == "1"
    (_, nccl) = structs.replace(SEVERAL, backend="nccl").placements(2)
    assert (nccl.variables["NCCL_HOST_IP"], nccl.variables["MLX_WORLD_SIZE"]) == ("10.0.0.1", "2")
    assert not nccl.files


def test_free_ports_differ() -> None:
    assert len(set(free_ports(5))) == 5
