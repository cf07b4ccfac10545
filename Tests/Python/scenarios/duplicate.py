"""Two processes run the same id at once: one executes it, both get the result."""

import asyncio

from stage import Stage, expect_equal

executions: list[int] = []


async def work(ctx) -> str:
    executions.append(1)
    await asyncio.sleep(0.3)
    return "done"


async def scenario(stage: Stage) -> None:
    # Two of the SDK in one process: to the server, two processes.
    async with stage.client() as one, stage.client() as other:
        one.register(work)
        other.register(work)
        for number in range(5):
            handles = [one.run(stage.id(f"{number}"), work), other.run(stage.id(f"{number}"), work)]
            results = await asyncio.gather(*[stage.result(handle) for handle in handles])
            expect_equal("the results", results, ["done", "done"])
        expect_equal("how often five ids were executed", len(executions), 5)
