"""How fast every row is compared: `sluice verify`, beside a plain parallel scan that computes the same digest of each row and
compares nothing."""

import time

from report import Report, median

from .methods import Sluice, marker
from .tables import FORWARD, Table, connect, fresh

WORKERS = 2
SUBJECT = f"sluice verify, {WORKERS} workers"
BASELINE = "a parallel scan with the digest"


def scan(url: str) -> int:
    with connect(url, "bench", autocommit=True) as database:
        database.execute(f"SET max_parallel_workers_per_gather = {WORKERS}")
        columns = ", ".join([marker(database), "id", "name", *FORWARD])
        return database.execute(
            f"SELECT count(*), bit_xor(hash_record_extended(ROW({columns}), 0)) FROM people").fetchone()[0]


def verify(url: str) -> None:
    Sluice(WORKERS, "Pages").finish(url, "verify")


def prove(report: Report, url: str, table: Table, rounds: int, say) -> None:
    case = f"{table.name}, proof"
    fresh(url, table)
    sluice = Sluice(WORKERS, "Pages")
    sluice.prepare(url)
    sluice.finish(url, "run", "--phase", "Backfill")
    # The first reading of each sets hint bits.
    rows = scan(url)
    verify(url)
    speeds: dict[str, list[float]] = {BASELINE: [], SUBJECT: []}
    for _ in range(rounds):
        for name, run in ((BASELINE, scan), (SUBJECT, verify)):
            began = time.time()
            run(url)
            speeds[name].append(rows / (time.time() - began))
    for name, found in speeds.items():
        report.add(case, name, "rows/s", "rows/s", median(found))
        say(f"{case}: {name}: {median(found):.0f} rows/s")
    ratios = [mine / other for mine, other in zip(speeds[SUBJECT], speeds[BASELINE])]
    report.add(case, SUBJECT, "rows/s", "rows/s", median(speeds[SUBJECT]), median(ratios), BASELINE)
