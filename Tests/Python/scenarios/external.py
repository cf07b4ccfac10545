"""A workflow waits for a promise that somebody outside settles, or nobody."""

from resonate.types import Value
from stage import Stage, expect_equal


async def scenario(stage: Stage) -> None:
    group = stage.id("workers")
    await stage.worker(group)
    async with stage.client() as resonate:

        async def ask(name: str, seconds: float = 60):
            handle = resonate.options(target=group).rpc(stage.id(name), "decision", seconds)
            await stage.eventually(f"{name} asks", lambda: resonate.promises.get(f"{stage.id(name)}:1"))
            return handle, f"{stage.id(name)}:1"

        handle, question = await ask("approved")
        settled = await resonate.promises.resolve(question, Value(data={"by": "Ada"}))
        expect_equal("what it is then", (settled.state, settled.value.data), ("resolved", {"by": "Ada"}))
        expect_equal("approved", await stage.result(handle), ["yes", {"by": "Ada"}])
        # The first word counts.
        again = await resonate.promises.reject(question, Value(data={"message": "too late"}))
        expect_equal("rejected after that", (again.state, again.value.data), ("resolved", {"by": "Ada"}))

        handle, question = await ask("rejected")
        await resonate.promises.reject(question, Value(data={"message": "not today"}))
        expect_equal("rejected", await stage.result(handle), ["no", "not today"])

        handle, question = await ask("canceled")
        await resonate.promises.cancel(question, Value(data={"message": "called off"}))
        expect_equal("canceled", await stage.result(handle), ["no", "called off"])

        handle, question = await ask("ignored", seconds=1)
        result = await stage.result(handle)
        expect_equal("ignored", result[0], "no")
        expect_equal("what it is then", (await resonate.promises.get(question)).state, "rejected_timedout")
