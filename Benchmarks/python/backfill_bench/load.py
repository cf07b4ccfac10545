"""The application beside the backfill: pgbench, at half of the rate that it reaches by itself."""

import glob
import os
import re
import subprocess
import time

SCRIPT = """
\\set id random(1, {rows})
BEGIN;
SELECT name FROM people WHERE id = :id;
UPDATE people SET seen = seen + 1 WHERE id = :id;
END;
"""
CLIENTS = 4


class Load:
    def __init__(self, url: str, rows: int, folder: str) -> None:
        self.url = url.rsplit("/", 1)[0] + "/bench"
        self.folder = folder
        self.script = f"{folder}/load.sql"
        with open(self.script, "w") as file:
            file.write(SCRIPT.format(rows=rows))

    def command(self, seconds: float, *options: str) -> list[str]:
        return [
            "pgbench", "--no-vacuum", "--protocol=prepared", f"--client={CLIENTS}", f"--jobs={CLIENTS}",
            f"--time={max(1, round(seconds))}", f"--file={self.script}", *options, self.url]

    def full_rate(self, seconds: float) -> float:
        """Transactions a second."""
        output = subprocess.run(self.command(seconds), check=True, capture_output=True, text=True).stdout
        return float(re.search(r"tps = ([0-9.]+)", output)[1])

    def start(self, seconds: float, rate: float) -> subprocess.Popen:
        for log in glob.glob(f"{self.folder}/load.*"):
            if log != self.script:
                os.remove(log)
        return subprocess.Popen(
            self.command(seconds, f"--rate={rate:.0f}", "--log", f"--log-prefix={self.folder}/load"),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def latencies(self, began: float, ended: float) -> list[float]:
        """In milliseconds, of the transactions whose turn came between the two, whenever they ended; the wait for their turn
        is included."""
        found = []
        for log in glob.glob(f"{self.folder}/load.*"):
            if log == self.script:
                continue
            with open(log) as file:
                for line in file:
                    fields = line.split()
                    if not fields[2].isdigit():
                        continue
                    # Since pgbench was to begin it: with --rate that is what a user would wait.
                    seconds = int(fields[2]) / 1e6
                    if began <= int(fields[4]) + int(fields[5]) / 1e6 - seconds <= ended:
                        found.append(seconds * 1000)
        return found


def wait_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.time()))
