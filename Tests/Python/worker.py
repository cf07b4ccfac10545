"""A worker: `python worker.py URL GROUP TTL`. It executes functions.py for the group until it is killed."""

import asyncio
import logging
import os
import sys
from datetime import timedelta

import functions
from resonate.resonate import Resonate


class OnlyHere(Exception):
    """Defined in no module that another process can import."""


async def raise_unknown(ctx, text: str) -> None:
    raise OnlyHere(text)


async def main() -> None:
    url, group, ttl = sys.argv[1:]
    logging.basicConfig(level=logging.INFO)
    # By its process id it can be called, and it alone.
    resonate = Resonate(url=url, group=group, pid=str(os.getpid()), ttl=timedelta(seconds=float(ttl)))
    functions.register(resonate)
    resonate.register(raise_unknown, retry_policy=functions.NEVER)
    await asyncio.Event().wait()


asyncio.run(main())
