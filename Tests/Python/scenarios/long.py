"""A worker listens for longer than the 300 s after which its client would hang up for ever."""

import argparse
import time

from stage import Stage, expect, expect_equal


def limit(options: argparse.Namespace) -> float:
    return options.seconds + 90


async def scenario(stage: Stage) -> None:
    group = stage.id("workers")
    worker = await stage.worker(group)
    naps, length = max(int(stage.seconds / 10), 1), 10
    async with stage.client() as resonate:
        began = time.monotonic()
        calls = resonate.options(target=group)
        handle = calls.rpc(stage.id("long"), "naps", str(stage.file("notes")), naps, length)
        expect_equal("its result", await stage.result(handle, within=stage.seconds + 60), naps)
        took = time.monotonic() - began
        expect(took >= naps * length, f"it took only {took:.0f} s")
        expect(took < naps * length + 3 * naps, f"{naps} naps of {length} s took {took:.0f} s")
        expect_equal("its steps", stage.file("notes").read_text().split(), [str(number) for number in range(naps)])
        expect_equal("a call after that", await stage.result(calls.rpc(stage.id("after"), "double", 21)), 42)
        print(f"{took:.0f} s; the worker opened its stream {worker.streams()} times")
        if stage.seconds >= 300:
            expect(worker.streams() >= 2, "the server never let the worker open a new stream")
