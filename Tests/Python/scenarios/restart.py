"""A server is killed and started again, on the same port, while workflows are under way: none is lost.

It prints `kill it` when that is to be done, by whoever called.
"""

import asyncio

from stage import Stage, expect_equal

COUNT = 8


async def scenario(stage: Stage) -> None:
    group = stage.id("workers")
    await stage.worker(group, ttl=2)
    async with stage.client() as resonate:
        handles = [
            resonate.options(target=group).rpc(stage.id(f"job-{number}"), "naps", str(stage.file(f"{number}")), 4, 0.5)
            for number in range(COUNT)
        ]

        async def under_way() -> int:
            return sum(stage.file(f"{number}").exists() for number in range(COUNT))

        await stage.eventually("all jobs are under way", under_way, lambda count: count == COUNT)
        print("kill it", flush=True)
        results = await asyncio.gather(*[stage.result(handle, within=50) for handle in handles])
        expect_equal("the jobs' results", results, [4] * COUNT)
        for number in range(COUNT):
            steps = stage.file(f"{number}").read_text().split()
            # A step whose end the server never heard of is done again; none is left out.
            expect_equal(f"the steps of job {number}", sorted(set(steps)), ["0", "1", "2", "3"])
