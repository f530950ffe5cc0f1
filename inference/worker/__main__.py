"""The worker process: `python -m inference.worker --fd N`, N being its end of the site's socket."""

import argparse
import asyncio
import logging
import os
import socket
from collections.abc import Callable
from functools import partial

from inference.core import blas, protocol
from inference.worker import helper_process, process_log
from inference.worker.blas_threads import follow_load
from inference.worker.engine.rounds import OwnRounds, Rounds
from inference.worker.product_check import multiplies
from inference.worker.session import Session


def main() -> None:
    parser = argparse.ArgumentParser(prog="inference.worker")
    parser.add_argument("--fd", type=int, required=True, help="the socket to the site, inherited")
    parser.add_argument("--blas", default="", help="the BLAS library to multiply with on a CPU")
    parser.add_argument(
        "--follow-load", action="store_true", help="leave cores that other programs need to them"
    )
    parser.add_argument(
        "--rank-pipes",
        type=int,
        nargs="*",
        default=[],
        help="pipes to the other ranks of its model, inherited",
    )
    options = parser.parse_args()
    process_log.begin()
    used_blas = blas.preload_best(options.blas, multiplies)
    threads = follow_load(used_blas.path) if options.follow_load and used_blas.path else None
    session = partial(Session, blas=used_blas, threads=threads, rounds=_rounds(options.rank_pipes))
    asyncio.run(_serve(socket.socket(fileno=options.fd), session))
    helper_process.kill_all()
    # The engine may be in a long prefill; without a site there is nothing to wait for.
    os._exit(0)


def _rounds(pipes: list[int]) -> Rounds:
    if not pipes:
        return OwnRounds()
    from inference.worker.lockstep.leading import LeadingRounds  # with MLX, which takes seconds to import

    return LeadingRounds(pipes)


async def _serve(
    connection: socket.socket, session: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Session]
) -> None:
    reader, writer = await asyncio.open_connection(sock=connection)
    try:
        await session(reader, writer).run()
    except protocol.ProtocolBroken as error:
        logging.getLogger(__name__).critical("The site sent an invalid frame: %s", error)
        os._exit(65)


if __name__ == "__main__":
    main()
