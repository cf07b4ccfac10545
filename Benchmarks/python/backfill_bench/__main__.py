"""The cases. `idle`: each method by itself on each table, round by round in turn, to its end or until it has run for long
enough to know its speed. `load`: the same beside pgbench at half of its own full rate, each with a window of the load alone
just before it. `proof`: how fast every row is compared. `curve`: what throttling the backfill costs it, and what it saves the load.
`growth`: whether a row costs more in a large table."""

import os
import random
import sys
import threading
import time

from report import Report, median, percentile

from .chart import chart
from .growth import grow
from .load import Load, wait_until
from .methods import METHODS, THROTTLED, Method
from .proof import prove
from .tables import Table, connect, fresh, make

URL = os.environ["BENCH_DATABASE_URL"]
FOLDER = os.environ["BENCH_FOLDER"]
ROUNDS = int(os.environ.get("ROUNDS", "5"))
#: After so many seconds the speed of a method is known.
LIMIT = float(os.environ.get("LIMIT", "20"))
WINDOW = float(os.environ.get("WINDOW", "10"))
#: Seconds that a method may take which cannot be ended, beside the load.
WHOLE = float(os.environ.get("WHOLE", "90"))
CASES = os.environ.get("CASES", "idle proof load curve").split()
#: Of `growth`, in millions of rows.
SIZES = [int(size) for size in os.environ.get("SIZES", "1 5 20 50").split()]
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
            began = time.time()
            filling = method.run(URL, end)
            timer.cancel()
            after = self.counters(watch)
        wal, updates, hot = (late - early for early, late in zip(before, after))
        self.speed = filling.rows / (filling.ended - began)
        self.wal = wal / max(filling.rows, 1)
        self.hot = hot / max(updates, 1)
        self.transactions = [seconds * 1000 for seconds in filling.transactions]
        #: The time that was left after a tenth, as it was forecast, to what it was.
        self.forecast = None
        if filling.forecast and not end.is_set():
            seconds, since = filling.forecast
            self.forecast = seconds / (filling.ended - since)

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
        transactions = [time for run in found for time in run.transactions]
        for share in (50, 99, 100):
            report.add(case, name, f"transaction, {'longest' if share == 100 else f'p{share}'}", "ms", percentile(transactions, share))
        if forecasts := [run.forecast for run in found if run.forecast]:
            report.add(case, name, "time left after a tenth, as it was forecast", "of what it was", median(forecasts))
    for baseline in BASELINES:
        ratios = [mine.speed / other.speed for mine, other in zip(runs[GOAL], runs[baseline])]
        report.add(case, GOAL, "rows/s", "rows/s", speeds[GOAL], median(ratios), baseline)


class Window:
    """The load alone, and then beside a method."""

    def __init__(self, method: Method, table: Table, load: Load, rate: float) -> None:
        fresh(URL, table)
        method.prepare(URL)
        process = load.start(2 * WINDOW + (WHOLE if method.is_whole else 3), rate)
        began = time.time() + 1
        wait_until(began + WINDOW)
        end = threading.Event()
        timer = threading.Timer(WINDOW, end.set)
        timer.start()
        start = time.time()
        filling = method.run(URL, end)
        stop = filling.ended
        timer.cancel()
        process.wait()
        self.alone = load.latencies(began, began + WINDOW)
        self.beside = load.latencies(start, stop)
        self.speed = filling.rows / (stop - start)

    def ratio(self, share: float) -> float:
        return percentile(self.beside, share) / percentile(self.alone, share)


def half_rate(report: Report, table: Table, case: str) -> tuple[Load, float]:
    fresh(URL, table)
    load = Load(URL, table.rows, FOLDER)
    rate = load.full_rate(WINDOW) / 2
    say(f"{table.name}: pgbench at {rate:.0f} transactions/s, half of its full rate")
    report.add(case, "pgbench", "rate", "tx/s", rate)
    return load, rate


def beside_load(report: Report, table: Table) -> None:
    case = f"{table.name}, load"
    load, rate = half_rate(report, table, case)
    found: dict[str, list[Window]] = {method.name: [] for method in METHODS}
    for _ in range(ROUNDS):
        for method in METHODS:
            found[method.name].append(Window(method, table, load, rate))
    for method in METHODS:
        windows = found[method.name]
        alone = [value for window in windows for value in window.alone]
        beside = [value for window in windows for value in window.beside]
        speed = median([window.speed for window in windows])
        report.add(case, method.name, "rows/s", "rows/s", speed)
        for share in (50, 99, 99.9):
            report.add(case, method.name, f"load p{share}, alone", "ms", percentile(alone, share))
            report.add(case, method.name, f"load p{share}", "ms", percentile(beside, share))
        say(f"{case}: {method.name}: {speed:.0f} rows/s, p99 {percentile(alone, 99):.1f} → {percentile(beside, 99):.1f} ms")


def interval(values: list[float]) -> tuple[float, float]:
    """Of the median, at 95 %: by drawing from the values again and again, always in the same way."""
    draw = random.Random(1)
    medians = [median(draw.choices(values, k=len(values))) for _ in range(2000)]
    return percentile(medians, 2.5), percentile(medians, 97.5)


def curve(report: Report, table: Table) -> None:
    case = f"{table.name}, curve"
    load, rate = half_rate(report, table, case)
    windows: dict[str, list[Window]] = {method.name: [] for method in THROTTLED}
    for _ in range(ROUNDS):
        for method in THROTTLED:
            windows[method.name].append(Window(method, table, load, rate))
    full = median([window.speed for window in windows[THROTTLED[0].name]])
    for name, found in windows.items():
        speed = median([window.speed for window in found])
        ratios = [window.ratio(99) for window in found]
        low, high = interval(ratios)
        report.add(case, name, "rows/s", "rows/s", speed)
        report.add(case, name, "rows/s, part of the unthrottled", "share", speed / full)
        report.add(case, name, "load p99, to alone", "ratio", median(ratios))
        report.add(case, name, "load p99, to alone, 95 % from", "ratio", low)
        report.add(case, name, "load p99, to alone, 95 % to", "ratio", high)
        say(f"{case}: {name}: {speed:.0f} rows/s ({speed / full:.0%}), p99 {median(ratios):.2f} of alone ({low:.2f} to {high:.2f})")


def main() -> None:
    report = Report()
    if "growth" in CASES:
        grow(report, URL, FOLDER, SIZES, say)
    for table in TABLES if set(CASES) - {"growth"} else []:
        say(f"making {table.rows} rows, {table.name}")
        make(URL, table.template, table)
        if "idle" in CASES:
            idle(report, table)
        if "proof" in CASES:
            prove(report, URL, table, ROUNDS, say)
        if "load" in CASES:
            beside_load(report, table)
        if "curve" in CASES and table is TABLES[0]:
            curve(report, table)
    report.write(sys.argv[1])
    with open(sys.argv[1].removesuffix(".json") + ".svg", "w") as file:
        file.write(chart(report.rows))


if __name__ == "__main__":
    main()
