"""A workflow runs here, step by step; asked for again, it is not executed again."""

from stage import Stage, expect_equal

executions: list[str] = []


async def greet(ctx, name: str) -> str:
    executions.append("greet")
    first = await ctx.run(salute, name)
    return await ctx.run(salute, first)


async def salute(ctx, name: str) -> str:
    executions.append("salute")
    return f"hello {name}"


async def scenario(stage: Stage) -> None:
    id = stage.id("grüße")
    async with stage.client() as resonate:
        resonate.register(greet)
        # A character outside of ASCII in what is stored, and in an id.
        expect_equal("its result", await stage.result(resonate.run(id, greet, "Zoë 🌊")), "hello hello Zoë 🌊")
        expect_equal("executed", executions, ["greet", "salute", "salute"])
        expect_equal("its result, again", await stage.result(resonate.run(id, greet, "Nobody")), "hello hello Zoë 🌊")
        expect_equal("executed, after that", executions, ["greet", "salute", "salute"])

        promise = await resonate.promises.get(id)
        expect_equal("its state", promise.state, "resolved")
        expect_equal("its value", promise.value.data, "hello hello Zoë 🌊")
        step = await resonate.promises.get(f"{id}:1")
        expect_equal("its first step", (step.state, step.value.data), ("resolved", "hello Zoë 🌊"))
        expect_equal("the scope of a step", step.tags["resonate:scope"], "local")
