"""Promises are found by tags and by state, page by page."""

import time

from resonate.types import Value
from stage import Stage, expect, expect_equal


async def scenario(stage: Stage) -> None:
    mine = {"batch": stage.name}
    ids = [stage.id(f"{number:02}") for number in range(25)]
    async with stage.client() as resonate:
        later = int(time.time() * 1000) + 3_600_000
        for number, id in enumerate(ids):
            tags = mine | {"parity": "odd" if number % 2 else "even"}
            await resonate.promises.create(id, later, Value(data=number), tags)
        await resonate.promises.resolve(ids[3], Value(data="yes"))
        await resonate.promises.reject(ids[4], Value(data="no"))
        await resonate.promises.cancel(ids[5], Value(data="never mind"))
        overdue = await resonate.promises.create(stage.id("99"), 1000, Value(data=99), mine)
        expect_equal("one whose time is over", overdue.state, "rejected_timedout")

        async def find(state: str | None = None, tags: dict[str, str] = mine, limit: int | None = None) -> list[str]:
            found, cursor = [], None
            for _ in range(20):
                page = await resonate.promises.search(state, tags, limit, cursor)
                expect(len(page.promises) <= (limit or 100), f"a page of {len(page.promises)}, and not of {limit}")
                found += [promise.id for promise in page.promises]
                cursor = page.cursor
                if cursor is None:
                    return found
            raise AssertionError("a search that does not end")

        all_of_them = ids + [stage.id("99")]
        expect_equal("by a tag", await find(), all_of_them)
        expect_equal("by pages of 10", await find(limit=10), all_of_them)
        expect_equal("by pages of 13, the last one full", await find(limit=13), all_of_them)
        expect_equal("by two tags", await find(tags=mine | {"parity": "odd"}), ids[1::2])
        expect_equal("pending", await find("pending", limit=7), ids[:3] + ids[6:])
        expect_equal("resolved", await find("resolved"), [ids[3]])
        expect_equal("rejected", await find("rejected"), [ids[4]])
        expect_equal("canceled", await find("rejected_canceled"), [ids[5]])
        expect_equal("timed out", await find("rejected_timedout"), [stage.id("99")])
        expect_equal("pending and even", await find("pending", mine | {"parity": "even"}), ids[0:3:2] + ids[6::2])
        expect_equal("with a tag that none has", await find(tags={"batch": stage.id("other")}), [])
        page = await resonate.promises.search(None, mine, 2, None)
        expect_equal("what is stored in them", [promise.param.data for promise in page.promises], [0, 1])
