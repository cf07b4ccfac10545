"""A workflow sleeps durably: nobody holds it meanwhile, and it wakes in time, even if its worker died."""

import time

from stage import Stage, expect, expect_equal


async def scenario(stage: Stage) -> None:
    group = stage.id("workers")
    worker = await stage.worker(group)
    async with stage.client() as resonate:
        for name, seconds, dies in [("short", 0.7, False), ("long", 2.5, True)]:
            notes = stage.file(name)
            began = time.monotonic()
            handle = resonate.options(target=group).rpc(stage.id(name), "nap", str(notes), seconds)

            async def suspended() -> bool:
                # The call above returns before its promise is made.
                await resonate.promises.get(stage.id(name))
                return (await stage.request("task.get", id=stage.id(name)))["task"]["state"] == "suspended"

            if dies:
                await stage.eventually("the task is let go", suspended)
                await worker.kill()
                await stage.worker(group)
            expect_equal("its result", await stage.result(handle), seconds)
            took = time.monotonic() - began
            expect(seconds <= took < seconds + 5, f"a sleep of {seconds} s took {took:.2f} s")
            expect_equal("what it went through", notes.read_text().split(), ["began", "began", "woke"])
            timer = await resonate.promises.get(f"{stage.id(name)}:1")
            expect_equal("the timer's state", (timer.state, timer.tags["resonate:timer"]), ("resolved", "true"))
            late = timer.settled_at - timer.timeout_at
            expect(late == 0, f"the timer was settled {late} ms off its time")
