"""The durable functions that workers know."""

import asyncio
import os
import pathlib
from datetime import timedelta

from resonate.context import Context
from resonate.resonate import Resonate
from resonate.retry import Constant, Never

NEVER = Never()


def note(path: str, text: str) -> int:
    """Adds a line to a file, and says how many it has: the truth about what was executed."""
    with pathlib.Path(path).open("a") as file:
        file.write(text + "\n")
    return len(pathlib.Path(path).read_text().splitlines())


async def double(ctx: Context, n: int) -> int:
    return 2 * n


async def process(ctx: Context) -> int:
    return os.getpid()


async def echo(ctx: Context, value: object) -> object:
    return value


async def relay(ctx: Context, group: str, n: int) -> list[int]:
    """Asks a worker of another group, and says which process it is itself."""
    doubled = await ctx.options(target=group).rpc("double", n)
    return [doubled, await ctx.options(target=group).rpc("process"), os.getpid()]


async def round_trip(ctx: Context, target: str, n: int) -> int:
    """Has a worker in another language triple a number."""
    return await ctx.options(target=target).rpc("triple", n) + 1


async def buy(ctx: Context, target: str, order: dict) -> dict:
    """Has a worker in another language say what each thing costs, and tells what it refused."""
    prices, refusals = {}, []
    for thing in order["things"]:
        try:
            prices[thing] = await ctx.options(target=target).rpc("price", thing, order["count"])
        except Exception as error:
            refusals.append([type(error).__name__, str(error)])
    if not prices:
        raise LookupError(f"nothing of {', '.join(order['things'])}")
    return {"prices": prices, "refusals": refusals, "note": order.get("note")}


async def tree(ctx: Context, depth: int, width: int) -> int:
    """Counts the leaves of a tree, each node a call of its own."""
    if depth == 0:
        return 1
    branches = [ctx.rpc("tree", depth - 1, width) for _ in range(width)]
    return sum([await branch for branch in branches])


async def nap(ctx: Context, path: str, seconds: float) -> float:
    note(path, "began")
    await ctx.sleep(timedelta(seconds=seconds))
    note(path, "woke")
    return seconds


async def naps(ctx: Context, path: str, count: int, seconds: float) -> int:
    for number in range(count):
        await ctx.sleep(timedelta(seconds=seconds))
        await ctx.run(step, path, number)
    return count


async def step(ctx: Context, path: str, number: int) -> int:
    note(path, str(number))
    return number


async def decision(ctx: Context, seconds: float) -> list[object]:
    """Waits for somebody outside to say yes or no."""
    try:
        return ["yes", await ctx.promise(timeout=timedelta(seconds=seconds))]
    except Exception as error:
        return ["no", str(error)]


async def leave_behind(ctx: Context, path: str, seconds: float) -> str:
    return await ctx.detached("nap", path, seconds)


async def hold(ctx: Context, path: str) -> list[int]:
    """Two steps. Who first comes to the second stays there until it is killed."""
    first = await ctx.run(process)
    return [first, await ctx.run(stay, path)]


async def stay(ctx: Context, path: str) -> int:
    if note(path, str(os.getpid())) == 1:
        await asyncio.sleep(3600)
    return os.getpid()


async def slow(ctx: Context, path: str, seconds: float) -> int:
    """Longer than its lease, unless that is renewed."""
    note(path, str(os.getpid()))
    await asyncio.sleep(seconds)
    return os.getpid()


async def flaky(ctx: Context, path: str, failures: int) -> int:
    count = note(path, "attempt")
    if count <= failures:
        raise ValueError(f"attempt {count}")
    return count


async def refuse(ctx: Context, text: str) -> None:
    raise ValueError(text)


async def catch(ctx: Context, text: str) -> str:
    try:
        await ctx.rpc("refuse", text)
    except ValueError as error:
        return f"caught {error}"
    return "nothing was raised"


def register(resonate: Resonate) -> None:
    for function in [
        double, process, echo, relay, round_trip, tree, nap, naps, decision, leave_behind, hold, slow, catch,
    ]:
        resonate.register(function)
    resonate.register(refuse, retry_policy=NEVER)
    resonate.register(buy, retry_policy=NEVER)
    resonate.register(flaky, retry_policy=Constant(max_retries=2, delay=0))
