"""A worker is killed within its lease: another takes the task over, and repeats no step that was done."""

import time

from stage import Stage, expect, expect_equal

TTL = 2


async def scenario(stage: Stage) -> None:
    group, notes = stage.id("workers"), stage.file("notes")
    first = await stage.worker(group, ttl=TTL)
    async with stage.client() as resonate:
        handle = resonate.options(target=group).rpc(stage.id("hold"), "hold", str(notes))

        async def held() -> str:
            return notes.read_text() if notes.exists() else ""

        await stage.eventually("the first worker is in its second step", held)
        second = await stage.worker(group, ttl=TTL)
        began = time.monotonic()
        await first.kill()
        expect_equal("who did the steps", await stage.result(handle), [first.pid, second.pid])
        took = time.monotonic() - began
        expect(took < TTL + 5, f"a lease of {TTL} s was taken over after {took:.1f} s")
        expect_equal("who was in the second step", notes.read_text().split(), [str(first.pid), str(second.pid)])
