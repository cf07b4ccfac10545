"""A step that takes longer than its lease keeps it, for its worker lives: nobody else begins it."""

from stage import Stage, expect, expect_equal


async def scenario(stage: Stage) -> None:
    group = stage.id("workers")
    workers = [await stage.worker(group, ttl=1) for _ in range(2)]
    async with stage.client() as resonate:
        notes = [stage.file(f"notes-{number}") for number in range(4)]
        handles = [
            # Lineages of their own: the SDK renews all of its leases in one request.
            resonate.options(target=group).rpc(stage.id(f"slow-{number}"), "slow", str(path), 4)
            for number, path in enumerate(notes)
        ]
        for handle, path in zip(handles, notes):
            result = await stage.result(handle)
            expect(result in [worker.pid for worker in workers], f"the result is {result!r}")
            expect_equal("who began it", path.read_text().split(), [str(result)])
