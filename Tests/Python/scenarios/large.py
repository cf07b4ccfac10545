"""A megabyte goes to a worker and comes back, in one message of the stream."""

from stage import Stage, expect


async def scenario(stage: Stage) -> None:
    await stage.worker(stage.id("workers"))
    text = "äöü0123456789" * 80_000
    async with stage.client() as resonate:
        handle = resonate.options(target=stage.id("workers")).rpc(stage.id("echo"), "echo", text)
        result = await stage.result(handle)
        expect(result == text, f"what came back is not what was sent: {str(result)[:200]}")
