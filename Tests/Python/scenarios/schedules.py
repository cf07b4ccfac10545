"""A schedule is made, found and deleted, and one that is due fires until it is deleted."""

import asyncio

from resonate.error import ServerError
from stage import Stage, expect, expect_equal


async def scenario(stage: Stage) -> None:
    group = stage.id("workers")
    await stage.worker(group)
    async with stage.client() as resonate:
        await manage(stage, resonate)

        id = stage.id("each-second")
        target = resonate.options(target=group)
        schedule = await target.schedule(id, "* * * * * *", "double", (21,))
        tags = {"resonate:target": f"poll://any@{group}"}

        async def fired():
            found = await resonate.promises.search(None, tags, 100, None)
            return [promise for promise in found.promises if promise.state == "resolved"]

        promises = await stage.eventually("it fired three times", fired, lambda found: len(found) >= 3)
        await schedule.delete()
        for promise in promises:
            expect(promise.id.startswith(id + "-"), f"a fired promise is called {promise.id}")
            moment = int(promise.id.removeprefix(id + "-"))
            expect_equal("the moment of a firing, within its second", moment % 1000, 0)
            expect_equal("its deadline, from then", promise.timeout_at - moment, 86_400_000)
            expect_equal("its value", promise.value.data, 42)
        # What was under way when it was deleted may still come; then no more.
        await asyncio.sleep(1.5)
        count = len(await fired())
        await asyncio.sleep(2.5)
        expect_equal("how often it fired after it was deleted", len(await fired()) - count, 0)


async def manage(stage: Stage, resonate) -> None:
    mine = {"resonate:target": f"poll://any@{stage.id('nobody')}"}
    ids = [stage.id(f"new-year-{number}") for number in range(3)]
    for id in ids:
        schedule = await resonate.options(target=stage.id("nobody")).schedule(id, "0 0 1 1 *", "double", (1,))
        expect_equal("the name", schedule.name, id)
    # Once more, and otherwise: the first stays.
    await resonate.options(target=stage.id("nobody")).schedule(ids[0], "5 5 5 5 *", "double", (1,))
    found = await resonate.schedules.get(ids[0])
    expect_equal("what is found", (found.id, found.cron, found.promise_tags), (ids[0], "0 0 1 1 *", mine))
    expect_equal("the id of its promises", found.promise_id, "{{.id}}-{{.timestamp}}")

    seen, cursor = [], None
    for _ in range(3):
        page = await resonate.schedules.search(mine, 2, cursor)
        seen += [record.id for record in page.schedules]
        cursor = page.cursor
        if cursor is None:
            break
    expect_equal("what a search finds, by pages", seen, ids)

    await resonate.schedules.delete(ids[1])
    for forget in [resonate.schedules.get, resonate.schedules.delete]:
        try:
            await forget(ids[1])
            expect(False, "a deleted schedule was found")
        except ServerError as error:
            expect_equal("what is said of a deleted one", error.code, 404)
    found = await resonate.schedules.search(mine, 10, None)
    expect_equal("what a search finds then", [record.id for record in found.schedules], [ids[0], ids[2]])
