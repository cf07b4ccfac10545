"""A workflow leaves a call behind that goes on after it has ended."""

from stage import Stage, expect, expect_equal


async def scenario(stage: Stage) -> None:
    group = stage.id("workers")
    await stage.worker(group)
    notes = stage.file("notes")
    async with stage.client() as resonate:
        handle = resonate.options(target=group).rpc(stage.id("parent"), "leave_behind", str(notes), 1.5)
        child = await stage.result(handle)
        expect(str(child).startswith(f"{stage.id('parent')}:d"), f"the child is called {child!r}")
        expect_equal("the child, when its parent has ended", (await resonate.promises.get(child)).state, "pending")
        expect_equal("its result", await stage.result(await resonate.get(child)), 1.5)
