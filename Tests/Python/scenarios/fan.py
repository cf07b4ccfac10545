"""Calls fan out, each of them again, and come together."""

from stage import Stage, expect_equal


async def scenario(stage: Stage) -> None:
    group = stage.id("workers")
    for _ in range(2):
        await stage.worker(group)
    async with stage.client() as resonate:
        calls = resonate.options(target=group)
        expect_equal("50 at once", await stage.result(calls.rpc(stage.id("wide"), "tree", 1, 50)), 50)
        # 2 + 4 + 8 + 16 + 32 calls.
        expect_equal("62, five deep", await stage.result(calls.rpc(stage.id("deep"), "tree", 5, 2)), 32)
