"""A worker of a remote step: `python names.py URL LOG`. It takes 2 ms a row, and notes which it is asked and has answered.

A line of the log is `asked` or `answers`, and the keys of the rows.
"""

import asyncio
import sys
from datetime import timedelta

from resonate.resonate import Resonate


def split(full_name: str | None) -> dict[str, str | None]:
    first, _, last = (full_name or "").partition(" ")
    return {"first_name": first, "last_name": last or None}


async def split_name(ctx, chunk: dict) -> list[dict[str, str | None]]:
    keys = " ".join(str(row["key"][0]) for row in chunk["rows"])
    note("asked", keys)
    await asyncio.sleep(0.002 * len(chunk["rows"]))
    answer = [split(row["old"]["full_name"]) for row in chunk["rows"]]
    note("answers", keys)
    return answer


def note(what: str, keys: str) -> None:
    with open(sys.argv[2], "a") as log:
        log.write(f"{what} {keys}\n")


async def main() -> None:
    resonate = Resonate(url=sys.argv[1], group="names", ttl=timedelta(seconds=2))
    resonate.register(split_name)
    await asyncio.Event().wait()


asyncio.run(main())
