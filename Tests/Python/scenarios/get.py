"""Another process, which knows only the id, gets what becomes of a promise."""

import asyncio
import json
import pathlib
import sys

from stage import Stage, expect_equal

program = pathlib.Path(__file__).parent.parent / "get.py"


async def scenario(stage: Stage) -> None:
    group = stage.id("workers")
    await stage.worker(group)
    async with stage.client() as resonate:
        pending = resonate.options(target=group).rpc(stage.id("nap"), "nap", str(stage.file("notes")), 1.5)
        relay = resonate.options(target=group).rpc(stage.id("hold"), "relay", group, 3)
        await stage.result(relay)
        # Settled, pending, and one that never was.
        ids = [stage.id("hold") + ":1", await pending.id(), stage.id("nobody")]
        process = await asyncio.create_subprocess_exec(
            sys.executable, program, stage.url, *ids, stdout=asyncio.subprocess.PIPE)
        output, _ = await process.communicate()
        said = [json.loads(line) for line in output.splitlines()]
        expect_equal("what another process got", said, [{"value": 6}, {"value": 1.5}, {"code": 404}])
