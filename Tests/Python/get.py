"""Prints, as JSON, what becomes of promises: `python get.py URL ID...`. It knows their ids, and nothing else."""

import asyncio
import json
import sys

from resonate.error import ServerError
from resonate.resonate import Resonate


async def main() -> None:
    url, *ids = sys.argv[1:]
    resonate = Resonate(url=url, group="get")
    for id in ids:
        try:
            print(json.dumps({"value": await (await resonate.get(id)).result()}))
        except ServerError as error:
            print(json.dumps({"code": error.code}))
    await resonate.stop()


asyncio.run(main())
