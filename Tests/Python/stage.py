"""What the scenarios share: clients, workers in processes of their own, and waiting."""

import argparse
import asyncio
import contextlib
import pathlib
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
from resonate.error import ServerError
from resonate.resonate import Resonate

HERE = pathlib.Path(__file__).parent


class Failure(Exception):
    """What was expected, and what was found."""


def expect(condition: bool, message: str) -> None:
    if not condition:
        raise Failure(message)


def expect_equal(what: str, found: Any, wanted: Any) -> None:
    expect(found == wanted, f"{what}: {found!r}, and not {wanted!r}")


class Worker:
    """A process that executes the functions of functions.py for a group."""

    def __init__(self, process: asyncio.subprocess.Process, log: pathlib.Path) -> None:
        self.process = process
        self.pid = process.pid
        self.log = log

    async def kill(self) -> None:
        """As a crash: it gives no lease back."""
        self.process.kill()
        await self.process.wait()

    def streams(self) -> int:
        """How often it has opened its stream of messages."""
        return self.log.read_text().count("SSE connection established")


class Stage:
    def __init__(self, options: argparse.Namespace, folder: str) -> None:
        self.url: str = options.url
        self.second_url: str | None = options.second_url
        self.server_to_kill: int | None = options.kill
        self.seconds: float = options.seconds
        self.folder = pathlib.Path(folder)
        #: Begins every id and group, so that scenarios share a server without meeting.
        self.name = f"{options.scenario}-{uuid.uuid4().hex[:8]}"
        #: What is being waited for.
        self.last = "nothing was waited for"
        self._workers: list[Worker] = []

    def id(self, name: str) -> str:
        return f"{self.name}-{name}"

    def file(self, name: str) -> pathlib.Path:
        """A file for what functions note: what happened in which process, whatever the server says of it."""
        return self.folder / name

    @contextlib.asynccontextmanager
    async def client(self, *, url: str | None = None, **options: Any) -> AsyncIterator[Resonate]:
        """The SDK in this process, in a group of its own: it is given no work of the workers'."""
        options.setdefault("group", self.id("client"))
        resonate = Resonate(url=url or self.url, **options)
        try:
            yield resonate
        finally:
            await resonate.stop()

    async def worker(self, group: str, *, url: str | None = None, ttl: float = 60) -> Worker:
        """Starts a worker, and returns once it listens."""
        log = self.folder / f"worker-{len(self._workers)}.log"
        with log.open("w") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable, HERE / "worker.py", url or self.url, group, str(ttl), stderr=output, stdout=output)
        worker = Worker(process, log)
        self._workers.append(worker)
        await self.eventually(f"{log.name} listens", lambda: self._listens(worker))
        return worker

    async def _listens(self, worker: Worker) -> bool:
        expect(worker.process.returncode is None, f"a worker ended by itself: {worker.log.name}")
        return worker.streams() > 0

    async def eventually[T](
        self, what: str, value: Callable[[], Awaitable[T]], until: Callable[[T], bool] = bool, within: float = 30
    ) -> T:
        """Asks again and again, until the value is as wanted; a promise that is not there yet is not."""
        self.last = what
        last: Any = None
        for _ in range(int(within / 0.05)):
            try:
                last = await value()
                if until(last):
                    return last
            except ServerError as error:
                if error.code != 404:
                    raise
                last = error
            await asyncio.sleep(0.05)
        raise Failure(f"{what}: not within {within} s; last seen: {last!r}")

    async def result(self, handle: Any, within: float = 30) -> Any:
        """What came of a promise: its value, or the exception that it was rejected with."""
        self.last = f"the result of {handle._id}"
        try:
            async with asyncio.timeout(within):
                return await handle.result()
        except TimeoutError:
            raise Failure(f"{self.last}: none within {within} s") from None
        except Exception as error:
            return error

    async def request(self, kind: str, **data: Any) -> Any:
        """A request that the SDK has no call for, and the data of its answer."""
        envelope = {"kind": kind, "head": {"corrId": kind, "version": "2026-04-01"}, "data": data}
        async with aiohttp.ClientSession() as session, session.post(self.url, json=envelope) as response:
            answer = await response.json()
        expect_equal(f"the status of {kind}", answer["head"]["status"], 200)
        return answer["data"]

    async def leave(self) -> None:
        for worker in self._workers:
            if worker.process.returncode is None:
                await worker.kill()


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and not yet reaped does not."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


