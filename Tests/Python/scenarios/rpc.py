"""A call goes to a worker of a group, which calls a worker of another."""

from stage import Stage, expect, expect_equal


async def scenario(stage: Stage) -> None:
    left = await stage.worker(stage.id("left"))
    right = await stage.worker(stage.id("right"))
    async with stage.client() as resonate:
        handle = resonate.options(target=stage.id("left")).rpc(stage.id("relay"), "relay", stage.id("right"), 21)
        result = await stage.result(handle)
        expect_equal("the result, and who worked", result, [42, right.pid, left.pid])

        # To one process of a group, and to it alone.
        await stage.worker(stage.id("left"))
        pids = [
            await stage.result(resonate.options(target=stage.id("left")).rpc(stage.id(f"any-{number}"), "process"))
            for number in range(10)
        ]
        expect(left.pid in pids or len(set(pids)) == 1, f"a call went to neither worker of its group: {pids}")
