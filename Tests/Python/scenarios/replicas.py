"""Two servers share a database: a call crosses from one to the other, and one that is killed takes nothing along."""

import asyncio
import os
import signal
import time

from stage import Failure, Stage, alive, expect_equal

COUNT = 12


async def scenario(stage: Stage) -> None:
    if not stage.second_url or not stage.server_to_kill:
        raise Failure("this scenario needs --second-url, and --kill with the process id of the server of --url")
    group, left, right = stage.id("workers"), stage.url, stage.second_url
    async with stage.client(url=left) as here, stage.client(url=right) as there:
        await stage.worker(stage.id("right-only"), url=right)
        for number in range(3):
            began = time.monotonic()
            handle = here.options(target=stage.id("right-only")).rpc(stage.id(f"across-{number}"), "double", 21)
            expect_equal("a call from one server to the other's worker", await stage.result(handle, within=10), 42)
            print(f"across and back in {(time.monotonic() - began) * 1000:.0f} ms")

        # One worker at each; the left one's dies with its server's stream, for all that this worker can do.
        await stage.worker(group, url=left, ttl=2)
        await stage.worker(group, url=right, ttl=2)
        handles = [
            there.options(target=group).rpc(stage.id(f"job-{number}"), "naps", str(stage.file(f"{number}")), 3, 0.5)
            for number in range(COUNT)
        ]

        async def under_way() -> int:
            return sum(stage.file(f"{number}").exists() for number in range(COUNT))

        await stage.eventually("all jobs are under way", under_way, lambda count: count == COUNT)
        os.kill(stage.server_to_kill, signal.SIGKILL)
        while alive(stage.server_to_kill):
            await asyncio.sleep(0.02)
        results = await asyncio.gather(*[stage.result(handle, within=40) for handle in handles])
        expect_equal("the jobs' results", results, [3] * COUNT)
        for number in range(COUNT):
            steps = stage.file(f"{number}").read_text().split()
            # A step in whose middle the server went may be done twice, but none is left out.
            expect_equal(f"the steps of job {number}", sorted(set(steps)), ["0", "1", "2"])
