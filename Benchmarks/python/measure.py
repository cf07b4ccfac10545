"""What the programs of this folder share: clients in processes and threads, and one line of JSON.

    SLUICE_DATABASE_URL=… python dbos_steps.py --clients 16
    SLUICE_DATABASE_URL=… python absurd_steps.py --clients 16

A client runs workflows one after the other, each of STEPS steps. A step returns a small value, which the framework
checkpoints: that is the operation that is timed. The database has to be empty; to be worth anything its server syncs to
disk. Printed is one object:

    {"subject": …, "clients": 16, "processes": …, "operations": …, "seconds": …, "p50_ms": …, "p99_ms": …, "cpu_seconds": …}

`cpu_seconds` is what the processes used between the first step and the last one, PostgreSQL not counted.

    --seconds N      for how long (8); a workflow of each client comes first and is not counted
    --processes N    over how many processes the clients are spread; by default what is best for the subject
"""

import argparse
import json
import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from typing import Any

#: Of one workflow: so many that its start and its end weigh little.
STEPS = 100


class Client:
    """Times the steps of one client."""

    def __init__(self, seconds: float, barrier: Barrier) -> None:
        self.latencies: list[float] = []
        self._seconds = seconds
        self._barrier = barrier
        self._end: float | None = None

    def warm(self) -> None:
        """Said after a first workflow: waits for all clients of all processes. From here on steps count."""
        self._barrier.wait()
        self._end = time.perf_counter() + self._seconds

    @property
    def is_over(self) -> bool:
        return self._end is not None and time.perf_counter() >= self._end

    def step(self, operation: Callable[[], Any]) -> None:
        began = time.perf_counter()
        operation()
        if self._end is not None:
            self.latencies.append(time.perf_counter() - began)


def run_process(work, url: str, count: int, seconds: float, barrier: Barrier, results) -> None:
    """One process: a thread for each client. `work` is given the URL and a client, and returns when it is over."""
    clients = [Client(seconds, barrier) for _ in range(count)]

    def run(client: Client) -> None:
        try:
            work(url, client)
        except threading.BrokenBarrierError:
            # Another says why.
            pass
        except BaseException:
            barrier.abort()
            raise

    threads = [threading.Thread(target=run, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    barrier.wait()
    began, used = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.join()
    results.put((
        [latency for client in clients for latency in client.latencies],
        time.perf_counter() - began,
        time.process_time() - used,
    ))


def main(
    subject: str, prepare: Callable[[str], None], work: Callable[[str, Client], None], processes: Callable[[int], int],
    start: Callable[[str, int], None] | None = None,
) -> None:
    """`prepare` makes the schema, once; `start` is called in each process with the number of its clients."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--processes", type=int)
    options = parser.parse_args()
    url = os.environ["SLUICE_DATABASE_URL"]
    count = min(options.processes or processes(options.clients), options.clients)
    context = multiprocessing.get_context("spawn")

    once = context.Process(target=prepare, args=(url,))
    once.start()
    once.join()
    if once.exitcode != 0:
        raise SystemExit(f"{subject}: its schema could not be made")

    barrier, results = context.Barrier(options.clients + count), context.Queue()
    shares = [options.clients // count + (index < options.clients % count) for index in range(count)]
    children = [
        context.Process(target=_child, args=(start, work, url, share, options.seconds, barrier, results))
        for share in shares
    ]
    for child in children:
        child.start()
    parts = []
    while len(parts) < count:
        try:
            parts.append(results.get(timeout=1))
        except Exception:
            if any(child.exitcode not in (None, 0) for child in children):
                raise SystemExit(f"{subject}: a process failed") from None
    for child in children:
        child.join()

    latencies = sorted(latency for part in parts for latency in part[0])
    seconds = max(part[1] for part in parts)
    print(json.dumps({
        "subject": subject,
        "clients": options.clients,
        "processes": count,
        "operations": len(latencies),
        "seconds": round(seconds, 3),
        "p50_ms": round(percentile(latencies, 50) * 1000, 3),
        "p99_ms": round(percentile(latencies, 99) * 1000, 3),
        "cpu_seconds": round(sum(part[2] for part in parts), 3),
    }))


def _child(start, work, url: str, share: int, seconds: float, barrier: Barrier, results) -> None:
    if start is not None:
        start(url, share)
    run_process(work, url, share, seconds, barrier, results)
    # Threads of a framework may go on for ever.
    results.close()
    results.join_thread()
    os._exit(0)


def percentile(ordered: list[float], percent: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
