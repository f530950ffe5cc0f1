import asyncio

from inference.upstreams import connection
from inference.upstreams.balancer import Balancer
from inference.upstreams.health_checks import HealthChecks
from tests.upstreams.fake_server import fake_server, says_hello


async def test_an_address_that_answers_again_takes_requests_at_once() -> None:
    balancer = Balancer(clock=lambda: 0.0)
    async with fake_server(says_hello) as server, connection.new_client(60) as client:
        address = server.address(key="s3cret")
        for _ in range(9):
            balancer.note_failure(address, "it failed")
            balancer.health_of(address).retry_at = 0.0
        balancer.note_busy(address, 100)
        checks = HealthChecks(client, lambda: [address], balancer, every_s=0.01)
        async with asyncio.timeout(60):
            while balancer.health_of(address).is_resting(0.0):
                await asyncio.sleep(0.01)
        await checks.stop()
        before = len(server.received)
        assert server.received[0].line == "GET /v1/models HTTP/1.1"
        assert server.received[0].headers["authorization"] == "Bearer s3cret"
        checks = HealthChecks(client, lambda: [address], balancer, every_s=0.01)
        await asyncio.sleep(0.1)
        await checks.stop()
        assert len(server.received) == before  # one that answers is not asked


async def test_one_that_cannot_be_reached_fails() -> None:
    balancer = Balancer(clock=lambda: 0.0)
    async with fake_server(says_hello) as server:
        address = server.address()
    async with connection.new_client(60) as client:
        checks = HealthChecks(client, lambda: [address], balancer, every_s=0.01)
        async with asyncio.timeout(60):
            while balancer.health_of(address).failures < 2:
                await asyncio.sleep(0.01)
        await checks.stop()
    assert "cannot be reached" in balancer.status_text(address)
