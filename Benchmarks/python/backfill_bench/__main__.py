"""Two cases. `idle`: each method by itself on each table, round by round in turn, to its end or until it has run for long
enough to know its speed. `load`: the same beside pgbench at half of its own full rate, each with a window of the load alone
just before it."""

import os
import sys
import threading
import time

from report import Report, median, percentile

from .chart import chart
from .load import Load, wait_until
from .methods import METHODS, Method
from .tables import Table, connect, fresh, make_template

URL = os.environ["BENCH_DATABASE_URL"]
FOLDER = os.environ["BENCH_FOLDER"]
ROUNDS = int(os.environ.get("ROUNDS", "5"))
#: After so many seconds the speed of a method is known.
LIMIT = float(os.environ.get("LIMIT", "20"))
WINDOW = float(os.environ.get("WINDOW", "10"))
CASES = os.environ.get("CASES", "idle load").split()
TABLES = [
    Table("narrow", int(os.environ.get("ROWS", "5000000")), 40),
    Table("wide", int(os.environ.get("WIDE_ROWS", "500000")), 1000),
]
#: The goals: 1.3 times the first, 4 times the second.
BASELINES = ["one UPDATE", "batches, a trigger fills (pgroll)"]
GOAL = "sluice, 2 workers"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Run:
    """One method, on a fresh table, timed."""

    def __init__(self, method: Method, table: Table) -> None:
        fresh(URL, table)
        method.prepare(URL)
        end = threading.Event()
        with connect(URL, "bench", autocommit=True) as watch:
            before = self.counters(watch)
            timer = threading.Timer(LIMIT, end.set)
            timer.start()
            self.began = time.time()
            self.rows = method.run(URL, end)
            self.ended = time.time()
            timer.cancel()
            after = self.counters(watch)
        self.seconds = self.ended - self.began
        wal, updates, hot = (late - early for early, late in zip(before, after))
        self.speed = self.rows / self.seconds
        self.wal = wal / max(self.rows, 1)
        self.hot = hot / max(updates, 1)

    @staticmethod
    def counters(watch) -> tuple[int, int, int]:
        # What sessions have counted is told when they end, or after a second.
        time.sleep(1.1)
        return watch.execute(
            """SELECT (pg_current_wal_lsn() - '0/0')::bigint, coalesce(sum(n_tup_upd), 0)::bigint,
                coalesce(sum(n_tup_hot_upd), 0)::bigint FROM pg_stat_user_tables WHERE relname = 'people'""").fetchone()


def idle(report: Report, table: Table) -> None:
    runs: dict[str, list[Run]] = {method.name: [] for method in METHODS}
    for number in range(ROUNDS):
        for method in METHODS:
            run = Run(method, table)
            runs[method.name].append(run)
            say(f"{table.name}, round {number + 1} of {ROUNDS}: {method.name}: {run.speed:.0f} rows/s")
    speeds = {name: median([run.speed for run in found]) for name, found in runs.items()}
    case = f"{table.name}, idle"
    for name, found in runs.items():
        report.add(case, name, "rows/s", "rows/s", speeds[name])
        report.add(case, name, "WAL", "bytes/row", median([run.wal for run in found]))
        report.add(case, name, "HOT", "share", median([run.hot for run in found]))
    for baseline in BASELINES:
        ratios = [mine.speed / other.speed for mine, other in zip(runs[GOAL], runs[baseline])]
        report.add(case, GOAL, "rows/s", "rows/s", speeds[GOAL], median(ratios), baseline)


def beside_load(report: Report, table: Table) -> None:
    case = f"{table.name}, load"
    fresh(URL, table)
    load = Load(URL, table.rows, FOLDER)
    rate = load.full_rate(WINDOW) / 2
    say(f"{table.name}: pgbench at {rate:.0f} transactions/s, half of its full rate")
    report.add(case, "pgbench", "rate", "tx/s", rate)
    for method in METHODS:
        alone: list[float] = []
        beside: list[float] = []
        speeds: list[float] = []
        for _ in range(ROUNDS):
            fresh(URL, table)
            method.prepare(URL)
            process = load.start(2 * WINDOW + 3, rate)
            began = time.time() + 1
            wait_until(began + WINDOW)
            end = threading.Event()
            timer = threading.Timer(WINDOW, end.set)
            timer.start()
            start = time.time()
            rows = method.run(URL, end)
            stop = time.time()
            timer.cancel()
            process.wait()
            alone += load.latencies(began, began + WINDOW)
            beside += load.latencies(start, min(stop, start + WINDOW))
            speeds.append(rows / (stop - start))
        report.add(case, method.name, "rows/s", "rows/s", median(speeds))
        for share in (50, 99, 99.9):
            report.add(case, method.name, f"load p{share}, alone", "ms", percentile(alone, share))
            report.add(case, method.name, f"load p{share}", "ms", percentile(beside, share))
        say(f"{case}: {method.name}: {median(speeds):.0f} rows/s, p99 {percentile(alone, 99):.1f} → {percentile(beside, 99):.1f} ms")


def main() -> None:
    report = Report()
    for table in TABLES:
        say(f"making {table.rows} rows, {table.name}")
        make_template(URL, table)
        if "idle" in CASES:
            idle(report, table)
        if "load" in CASES:
            beside_load(report, table)
    report.write(sys.argv[1])
    with open(sys.argv[1].removesuffix(".json") + ".svg", "w") as file:
        file.write(chart(report.rows))


main()
