"""How fast every row is compared: `sluice verify`, beside a plain parallel scan that computes the same digest of each row and
compares nothing, and beside one that compares it as well, in one statement."""

import time

from report import Report, median

from .methods import Sluice, marker
from .tables import BACKWARD, FORWARD, Table, connect, fresh

WORKERS = 2
SUBJECT = f"sluice verify, {WORKERS} workers"
BASELINES = ["a parallel scan with the digest", "a parallel scan with digest and comparison"]


def scan(url: str, compares: bool) -> int:
    with connect(url, "bench", autocommit=True) as database:
        database.execute(f"SET max_parallel_workers_per_gather = {WORKERS}")
        # Compiling it would cost more than it gains.
        database.execute("SET jit = off")
        side = marker(database)
        digest = f"bit_xor(hash_record_extended(ROW({', '.join([side, 'id', 'name', *FORWARD])}), 0))"
        differs = " OR ".join(f"{column} IS DISTINCT FROM {value}" for column, value in FORWARD.items())
        wrong = f"CASE {side} WHEN 'o' THEN {differs} WHEN 'n' THEN name IS DISTINCT FROM {BACKWARD} ELSE true END"
        comparison = f", count(*) FILTER (WHERE {wrong})" if compares else ""
        return database.execute(f"SELECT count(*), {digest}{comparison} FROM people").fetchone()[0]


def verify(url: str) -> None:
    Sluice(WORKERS, "Pages").finish(url, "verify")


def prove(report: Report, url: str, table: Table, rounds: int, say) -> None:
    case = f"{table.name}, proof"
    fresh(url, table)
    sluice = Sluice(WORKERS, "Pages")
    sluice.prepare(url)
    sluice.finish(url, "run", "--phase", "Backfill")
    # The first reading of each sets hint bits.
    rows = scan(url, compares=True)
    verify(url)
    runs = [(BASELINES[0], lambda: scan(url, compares=False)), (BASELINES[1], lambda: scan(url, compares=True)),
            (SUBJECT, lambda: verify(url))]
    speeds: dict[str, list[float]] = {name: [] for name, _ in runs}
    for _ in range(rounds):
        for name, run in runs:
            began = time.time()
            run()
            speeds[name].append(rows / (time.time() - began))
    for name, found in speeds.items():
        report.add(case, name, "rows/s", "rows/s", median(found))
        say(f"{case}: {name}: {median(found):.0f} rows/s")
    for baseline in BASELINES:
        ratios = [mine / other for mine, other in zip(speeds[SUBJECT], speeds[baseline])]
        report.add(case, SUBJECT, "rows/s", "rows/s", median(speeds[SUBJECT]), median(ratios), baseline)
