"""A call goes to a worker of a group, which calls a worker of another."""

from stage import Stage, expect_equal


async def scenario(stage: Stage) -> None:
    left = await stage.worker(stage.id("left"))
    right = await stage.worker(stage.id("right"))
    async with stage.client() as resonate:
        handle = resonate.options(target=stage.id("left")).rpc(stage.id("relay"), "relay", stage.id("right"), 21)
        result = await stage.result(handle)
        expect_equal("the result, and who worked", result, [42, right.pid, left.pid])

        other = await stage.worker(stage.id("left"))

        async def called(target: str, count: int) -> list[int]:
            """Which processes take calls of an address."""
            calls = resonate.options(target=target)
            return [await stage.result(calls.rpc(stage.id(f"{hash(target)}-{n}"), "process")) for n in range(count)]

        pids = await called(stage.id("left"), 12)
        expect_equal("who takes calls of a group", set(pids), {left.pid, other.pid})
        for worker in [left, other]:
            for kind in ["uni", "any"]:
                address = f"poll://{kind}@{stage.id('left')}/{worker.pid}"
                expect_equal(f"who takes calls of {address}", await called(address, 3), [worker.pid] * 3)
