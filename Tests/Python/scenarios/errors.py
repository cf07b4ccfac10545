"""Errors arrive as what they were; a step that fails is tried again as far as its policy goes; deadlines hold."""

from datetime import timedelta

from resonate.error import ApplicationError, ResonateTimeoutError
from resonate.types import Value
from stage import Stage, expect_equal


async def scenario(stage: Stage) -> None:
    group = stage.id("workers")
    await stage.worker(group)
    async with stage.client() as resonate:
        calls = resonate.options(target=group)

        async def call(name: str, function: str, *args):
            result = await stage.result(calls.rpc(stage.id(name), function, *args))
            return (type(result), str(result)) if isinstance(result, Exception) else result

        expect_equal("an error", await call("refuse", "refuse", "no"), (ValueError, "no"))
        expect_equal("one of a class that is not known here", await call("unknown", "raise_unknown", "what?"),
                     (ApplicationError, "what?"))
        expect_equal("one that the caller catches", await call("catch", "catch", "no"), "caught no")

        notes = stage.file("flaky")
        expect_equal("one that passes at its third attempt", await call("flaky", "flaky", str(notes), 2), 3)
        notes = stage.file("hopeless")
        expect_equal("one that passes at no attempt", await call("hopeless", "flaky", str(notes), 99),
                     (ValueError, "attempt 3"))
        expect_equal("its attempts", len(notes.read_text().splitlines()), 3)

        nobody = resonate.options(target=stage.id("nobody"), timeout=timedelta(seconds=1))
        late = nobody.rpc(stage.id("late"), "double", 1)
        expect_equal("a call that nobody takes", type(await stage.result(late)), ResonateTimeoutError)

        canceled = resonate.options(target=stage.id("nobody")).rpc(stage.id("canceled"), "double", 1)
        await resonate.promises.cancel(await canceled.id(), Value(data="never mind"))
        expect_equal("a call that is canceled", type(await stage.result(canceled)), ApplicationError)
