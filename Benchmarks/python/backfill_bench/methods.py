"""What fills the rows: Sluice, and the ways that others have, each written here in its own manner and no copy of theirs."""

import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import psycopg

from .tables import FORWARD, connect, migration

ASSIGNMENTS = ", ".join(f"{column} = {value}" for column, value in FORWARD.items())
BATCH = 1000


@dataclass(frozen=True)
class Filling:
    """What came of it."""

    rows: int
    #: How long each transaction kept the rows that it wrote, in seconds.
    transactions: list[float]
    #: When a tenth was done: how long it was going to take from there on, in seconds, and from when on. Nothing where nobody says.
    forecast: tuple[float, float] | None = None
    ended: float = field(default_factory=time.time)


@dataclass(frozen=True)
class Method:
    name: str
    #: Before the clock starts: columns, triggers.
    prepare: Callable[[str], None]
    #: Until all rows are filled, or the event is set.
    run: Callable[[str, threading.Event], Filling]
    #: Whether it goes on to its end whatever is set.
    is_whole: bool = False


def add_columns(url: str) -> None:
    with connect(url, "bench", autocommit=True) as database:
        for column in FORWARD:
            database.execute(f"ALTER TABLE people ADD COLUMN {column} text")


def filled(url: str) -> int:
    """Those that the load has not written: by our triggers, its own writes fill rows as well."""
    with connect(url, "bench") as database:
        return database.execute("SELECT count(first) FROM people WHERE seen = 0").fetchone()[0]


def update_all(url: str, assignments: str) -> Filling:
    """The whole table in one transaction."""
    with connect(url, "bench", autocommit=True) as database:
        began = time.time()
        rows = database.execute(f"UPDATE people SET {assignments}").rowcount
        return Filling(rows, [time.time() - began])


def one_update(url: str, _: threading.Event) -> Filling:
    return update_all(url, ASSIGNMENTS)


def add_filling_triggers(url: str) -> None:
    """As pgroll does: a mark on each row that it is not filled, and for each new column a trigger that fills whatever row is
    written, unless it is by the new version, which it tells by the `search_path`."""
    add_columns(url)
    with connect(url, "bench", autocommit=True) as database:
        columns = [name for (name,) in database.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'people'::regclass AND attnum > 0 ORDER BY attnum")]
        database.execute("ALTER TABLE people ADD COLUMN unfilled boolean DEFAULT true")
        variables = " ".join(f'"{name}" people."{name}"%TYPE := NEW."{name}";' for name in columns)
        for column, value in FORWARD.items():
            database.execute(
                f"""CREATE FUNCTION fill_{column}() RETURNS trigger LANGUAGE plpgsql AS $$
                #variable_conflict use_variable
                DECLARE {variables} version text;
                BEGIN
                    SELECT current_setting INTO version FROM current_setting('search_path');
                    IF version != 'public_new' THEN
                        NEW.{column} = {value};
                        NEW.unfilled = false;
                    END IF;
                    RETURN NEW;
                END $$""")
            database.execute(
                f"CREATE TRIGGER fill_{column} BEFORE INSERT OR UPDATE ON people FOR EACH ROW EXECUTE FUNCTION fill_{column}()")


def touching_batches(url: str, end: threading.Event) -> Filling:
    """The manner of pgroll: the next 1000 rows by key are locked and written as they are, so that the triggers fill them."""
    last, done, times = 0, 0, []
    with connect(url, "bench", autocommit=True) as database:
        while not end.is_set():
            began = time.time()
            row = database.execute(
                f"""WITH batch AS (
                    SELECT id FROM people WHERE unfilled = true AND id > %s ORDER BY id LIMIT {BATCH} FOR NO KEY UPDATE),
                written AS (UPDATE people SET id = people.id FROM batch WHERE people.id = batch.id RETURNING people.id)
                SELECT max(id), count(*) FROM written""", (last,)).fetchone()
            if row[0] is None:
                break
            times.append(time.time() - began)
            last, done = row[0], done + row[1]
    return Filling(done, times)


def find_in_batches(url: str, end: threading.Event) -> Filling:
    """The manner of Rails: the keys of the next 1000 rows go to the client, and come back in an UPDATE."""
    last, done, times = 0, 0, []
    with connect(url, "bench", autocommit=True) as database:
        while not end.is_set():
            keys = [row[0] for row in database.execute(
                f"SELECT id FROM people WHERE id > %s ORDER BY id LIMIT {BATCH}", (last,)).fetchall()]
            if not keys:
                break
            began = time.time()
            done += database.execute(f"UPDATE people SET {ASSIGNMENTS} WHERE id = ANY (%s)", (keys,)).rowcount
            times.append(time.time() - began)
            last = keys[-1]
    return Filling(done, times)


def data_migration(url: str, end: threading.Event) -> Filling:
    """The manner of a data migration of Django or alembic: rows go to the client, values are computed there, and 1000 at a time
    come back, all in one transaction."""
    done, began = 0, time.time()
    with connect(url, "bench") as database:
        with database.cursor(name="rows") as rows:
            rows.itersize = BATCH
            rows.execute("SELECT id, name FROM people ORDER BY id")
            while not end.is_set():
                batch = rows.fetchmany(BATCH)
                if not batch:
                    break
                values = [(id, *name.split(" ")[:2]) for id, name in batch]
                done += database.execute(
                    """UPDATE people SET first = v.first, last = v.last
                    FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS v(id, first, last) WHERE people.id = v.id""",
                    tuple(map(list, zip(*values)))).rowcount
    return Filling(done, [time.time() - began])


class Sluice:
    """`sluice run`, from the dual write on. Its proof is not on the clock: none of the others has one."""

    def __init__(self, workers: int, by: str, throttle: str = "") -> None:
        self.workers, self.by, self.throttle = workers, by, throttle

    def start(self, url: str, *command: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [os.environ["SLUICE_BINARY"], *command, "-f", "-"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env=os.environ | {"SLUICE_DATABASE_URL": url.rsplit("/", 1)[0] + "/bench", "SLUICE_LOG_FORMAT": "json"})
        process.stdin.write(migration(self.workers, self.by, self.throttle))
        process.stdin.close()
        return process

    def finish(self, url: str, *command: str) -> None:
        process = self.start(url, *command)
        said = process.stderr.read()
        if process.wait() != 0:
            raise SystemExit(f"sluice {' '.join(command)} failed: {said}")

    def prepare(self, url: str) -> None:
        self.finish(url, "run", "--phase", "DualWrite")

    def run(self, url: str, end: threading.Event) -> Filling:
        process = self.start(url, "run", "--phase", "Backfill", "--log-level", "debug")
        words = Words(process.stderr)
        try:
            with connect(url, "bench", autocommit=True) as database:
                while not end.is_set():
                    if is_filled(database):
                        break
                    if process.poll() is not None:
                        raise SystemExit(f"sluice run --phase Backfill ended before it had filled the rows: {words.last}")
                    time.sleep(0.02)
        finally:
            ended = time.time()
            process.kill()
            process.wait()
            words.join()
        return Filling(filled(url), words.chunks(), words.forecast, ended)


def is_filled(database: psycopg.Connection) -> bool:
    """Whether Sluice has noted that all rows are."""
    return database.execute("SELECT count(*) FROM sluice.step WHERE step LIKE 'backfill/%/fill'").fetchone()[0] > 0


class Words(threading.Thread):
    """What `sluice run` says while it fills: its progress, each second, and its log, as JSON."""

    PROGRESS = re.compile(r" (\d+)/(\d+) rows, (\d+)/s")

    def __init__(self, stream) -> None:
        super().__init__()
        self.stream, self.last = stream, ""
        self.began: dict[str, list[float]] = {}
        self.forecast: tuple[float, float] | None = None
        self.start()

    def run(self) -> None:
        for self.last in self.stream:
            if self.last.startswith("{"):
                said = json.loads(self.last)
                if said["message"] == "chunk" and said["step"].endswith("/fill"):
                    self.began.setdefault(said["range"], []).append(datetime.fromisoformat(said["time"]).timestamp())
            elif (found := self.PROGRESS.search(self.last)) and self.forecast is None:
                done, total, speed = map(int, found.groups())
                if speed > 0 and done >= total / 10:
                    self.forecast = ((total - done) / speed, time.time())

    def chunks(self) -> list[float]:
        """From one's begin to that of the next one in its range: that is longer than its transaction, by what comes between."""
        return [late - early for times in self.began.values() for early, late in zip(times, times[1:])]


def marker(database: psycopg.Connection) -> str:
    """The column of Sluice's that tells who wrote a row last."""
    return database.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'people'::regclass AND attname LIKE 'sluice_side_%'"
    ).fetchone()[0]


def with_our_triggers(url: str, _: threading.Event) -> Filling:
    with connect(url, "bench", autocommit=True) as database:
        mark = f"{marker(database)} = 'o'"
    return update_all(url, f"{ASSIGNMENTS}, {mark}")


METHODS = [
    Method("one UPDATE", add_columns, one_update, is_whole=True),
    Method("one UPDATE, triggers of Sluice", Sluice(1, "Pages").prepare, with_our_triggers, is_whole=True),
    Method("batches, a trigger fills (pgroll)", add_filling_triggers, touching_batches),
    Method("batches by keys (Rails)", add_columns, find_in_batches),
    Method("rows through the client (Django)", add_columns, data_migration),
    *(
        Method(f"sluice, {workers} worker{'s' if workers > 1 else ''}{', by keys' if by == 'Keys' else ''}",
               Sluice(workers, by).prepare, Sluice(workers, by).run)
        for by in ("Pages", "Keys") for workers in (1, 2)
    ),
]

#: A row of the application's, as it reads it.
PROBE = "SELECT name FROM people WHERE id = 4711"
#: What of its two workers is at work.
THROTTLED = [
    *(Method(f"share {share} %", Sluice(2, "Pages").prepare, Sluice(2, "Pages", f"share: {share}").run)
      for share in (100, 75, 50, 25, 10)),
    *(Method(f"latency of {limit}", Sluice(2, "Pages").prepare,
             Sluice(2, "Pages", f"latency: {{query: \"{PROBE}\", max: {limit}}}").run) for limit in ("2ms", "1ms")),
]
