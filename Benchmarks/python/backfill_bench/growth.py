"""Whether a row costs more in a large table: the fill and the proof, and what memory `sluice run` takes at the most."""

import os
import shutil
import threading
import time

from report import Report

from .methods import Sluice, is_filled
from .tables import Table, connect, make

WORKERS = 2
#: On disk, in bytes: of a row, its versions and their entries in two indexes; and of the WAL between two checkpoints.
ROW, WAL = 600, 20_000_000_000


def grow(report: Report, url: str, folder: str, millions: list[int], say) -> None:
    sluice = Sluice(WORKERS, "Pages")
    for size in millions:
        free, needed = shutil.disk_usage(folder).free, size * 1_000_000 * ROW + WAL
        if free < needed:
            say(f"{size} million rows: left out; they need {needed / 1e9:.0f} GB of disk, {free / 1e9:.0f} are free")
            continue
        make(url, "bench", Table("narrow", size * 1_000_000, 40))
        sluice.prepare(url)
        ended: dict[str, float] = {}
        began = time.time()
        process = sluice.start(url, "run", "--phase", "Backfill")
        watcher = threading.Thread(target=watch, args=(url, process, ended))
        watcher.start()
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        over = time.time()
        process.returncode = os.waitstatus_to_exitcode(status)
        watcher.join()
        if process.returncode != 0:
            raise SystemExit(f"sluice run --phase Backfill failed: {said}")
        case = f"{size} million narrow rows"
        fill = (ended["fill"] - began) / size
        proof = (over - ended["fill"]) / size
        memory = usage.ru_maxrss / 1024
        report.add(case, f"sluice, {WORKERS} workers", "fill", "µs/row", fill)
        report.add(case, f"sluice, {WORKERS} workers", "proof", "µs/row", proof)
        report.add(case, f"sluice, {WORKERS} workers", "memory at the most", "MiB", memory)
        say(f"{case}: fill {fill:.2f} µs/row, proof {proof:.2f} µs/row, {memory:.0f} MiB at the most")


def watch(url: str, process, ended: dict[str, float]) -> None:
    """When the rows are filled."""
    with connect(url, "bench", autocommit=True) as database:
        while "fill" not in ended and process.returncode is None:
            if is_filled(database):
                ended["fill"] = time.time()
            time.sleep(0.01)
