"""Ten thousand Migrations that rest: how soon each subject knows them, what that costs, how soon it sees a change, and that
it writes nothing where nothing changes. kubectl is the floor of time, Kopf the measure of memory."""

import os
import sys
import time
from dataclasses import dataclass, field

from . import migrations
from .api import Api
from .audit import AuditLog
from .migrations import COLLECTION, Generations
from .processes import Process
from report import Report, median, percentile
from .subjects import Subjects

#: For how long it is left alone before its memory is read: Kopf's workers of single objects have ended then.
IDLE = 15.0
#: Changes in a second, and for how many seconds.
RATE, SECONDS = 20, 10

AGENTS = {"sluice": "sluice/", "kopf": "kopf/"}


@dataclass
class Found:
    sync: list[float] = field(default_factory=list)
    sync_cpu: list[float] = field(default_factory=list)
    idle_cpu: list[float] = field(default_factory=list)
    resident: list[float] = field(default_factory=list)
    peak: list[float] = field(default_factory=list)
    empty: list[float] = field(default_factory=list)
    writes: list[int] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)


def say(text: str) -> None:
    print(f"operator: {text}", file=sys.stderr, flush=True)


def run(api: Api, subjects: Subjects, audit: AuditLog, report: Report) -> None:
    count = int(os.environ.get("OBJECTS", "10000"))
    rounds = int(os.environ.get("ROUNDS", "3"))
    found = {name: Found() for name in ("kubectl", "kopf", "sluice")}
    api.create("/api/v1/namespaces", {"metadata": {"name": migrations.NAMESPACE}})

    for _ in range(rounds):
        for name in AGENTS:
            found[name].empty.append(rest(subjects.start(name, 0)))
    say(f"making {count} Migrations")
    migrations.create(api, count)
    say("letting the operator settle them")
    began = time.time()
    settler = subjects.sluice(count, "settler")
    with Generations(api) as generations:
        generations.until_told(count)
        generations.until_settled(1800)
        say(f"settled after {time.time() - began:.1f} s")
    time.sleep(5)
    settler.stop()

    for number in range(rounds):
        for name in found:
            process, mark = subjects.start(name, count), audit.mark()
            found[name].sync.append(subjects.synced(name, process, count))
            found[name].sync_cpu.append(process.cpu())
            if name in AGENTS:
                time.sleep(IDLE)
                found[name].idle_cpu.append(process.cpu() - found[name].sync_cpu[-1])
                found[name].resident.append(process.memory())
                found[name].peak.append(process.memory("VmHWM"))
                found[name].writes.append(audit.writes(AGENTS[name], mark))
                found[name].latencies += change(api, count, number)
            process.stop()
            say(f"round {number + 1} of {rounds}: {name}: {found[name].sync[-1]:.2f} s, "
                + f"{(found[name].resident or [0])[-1] / 1e6:.1f} MB, "
                + (f"p50 {median(found[name].latencies) * 1000:.0f} ms" if found[name].latencies else ""))
    tell(report, found, count)


def rest(process: Process) -> float:
    """What is resident of a process that has nothing to do."""
    time.sleep(IDLE)
    memory = process.memory()
    process.stop()
    return memory


def change(api: Api, count: int, salt: int) -> list[float]:
    """Changes the spec of some, one after the other: the times from when each change was told until its status was."""
    with Generations(api) as generations:
        generations.until_told(count)
        changed: dict[str, int] = {}
        start = time.monotonic()
        for index in range(RATE * SECONDS):
            time.sleep(max(0, start + index / RATE - time.monotonic()))
            name = migrations.name((index * 49 + salt) % count)
            # Some length of time that it does not have already.
            soak = f"{time.time_ns() // 1_000_000 % 100_000_000}ms"
            answer = api.merge(f"{COLLECTION}/{name}", {"spec": {"contract": {"soak": soak}}})
            changed[name] = answer["metadata"]["generation"]
        for name, generation in changed.items():
            generations.until_written(name, generation)
        generations.until_settled(60)
        return [generations.observed[name][1] - generations.written[name][1] for name in changed]


def tell(report: Report, found: dict[str, Found], count: int) -> None:
    case = f"{count:,} Migrations".replace(",", " ")
    sync = {name: median(each.sync) for name, each in found.items()}
    memory = {name: (median(found[name].resident) - median(found[name].empty)) / count for name in AGENTS}
    for name, each in found.items():
        # The goal is one and a half times the floor, a ratio of two thirds.
        goal = (sync["kubectl"] / sync[name], "kubectl") if name == "sluice" else (None, "")
        report.add(case, name, "sync", "s", sync[name], *goal)
        report.add(case, name, "CPU until in sync", "s", median(each.sync_cpu))
        if name not in AGENTS:
            continue
        report.add(case, name, f"CPU of {IDLE:.0f} s idle", "s", median(each.idle_cpu))
        report.add(case, name, "event to status, p50", "ms", percentile(each.latencies, 50) * 1000)
        report.add(case, name, "event to status, p99", "ms", percentile(each.latencies, 99) * 1000)
        report.add(case, name, "resident", "MB", median(each.resident) / 1e6)
        report.add(case, name, "resident at most", "MB", median(each.peak) / 1e6)
        report.add(case, name, "resident without any", "MB", median(each.empty) / 1e6)
        goal = (memory["kopf"] / memory[name], "kopf") if name == "sluice" else (None, "")
        report.add(case, name, "memory", "bytes per object", memory[name], *goal)
        report.add(case, name, "writes of settled ones", "1", max(each.writes))
