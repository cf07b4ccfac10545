"""A call of a function that no worker knows is offered now and then, not in a hot loop, and not forgotten."""

import asyncio
import json

from resonate.connections import HttpConnection, SSEConnection
from resonate.resonate import Resonate
from stage import Stage, expect, expect_equal

SECONDS = 5
MOST = 10


async def scenario(stage: Stage) -> None:
    group = stage.id("workers")
    source = SSEConnection(url=stage.url, group=group)
    offers: list[str] = []
    resonate = Resonate(network=HttpConnection(url=stage.url), sources=[source], group=group)
    try:
        source.recv(lambda text: offers.append(json.loads(text)["kind"]))
        handle = resonate.rpc(stage.id("missing"), "missing", 20)

        async def offered() -> int:
            return offers.count("execute")

        await stage.eventually("it is offered", offered)
        await asyncio.sleep(SECONDS)
        count = await offered()
        print(f"offered {count} times in {SECONDS} s")
        expect(count <= MOST, f"a task that nobody can execute was offered {count} times in {SECONDS} s")

        # A worker that knows it comes late.
        async def missing(ctx, n: int) -> int:
            return n + 1

        resonate.register(missing)
        expect_equal("its result in the end", await stage.result(handle, within=40), 21)
    finally:
        await resonate.stop()
