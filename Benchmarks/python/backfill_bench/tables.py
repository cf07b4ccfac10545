"""The tables whose rows are filled: the same change on rows of a hundred bytes and of a thousand."""

from dataclasses import dataclass

import psycopg

#: A name becomes two columns.
FORWARD = {"first": "split_part(name, ' ', 1)", "last": "split_part(name, ' ', 2)"}
BACKWARD = "first || ' ' || last"


def migration(workers: int, by: str, throttle: str) -> str:
    forward = ", ".join(f"{column}: \"{value}\"" for column, value in FORWARD.items())
    return f"""
apiVersion: sluice.dev/v1alpha1
kind: Migration
metadata: {{name: split}}
spec:
  changes:
  - replaceColumns:
      table: people
      from: [name]
      to: [{", ".join(f"{{name: {column}, type: text}}" for column in FORWARD)}]
      forward: {{{forward}}}
      backward: {{name: "{BACKWARD}"}}
  backfill: {{workers: {workers}, by: {by}, throttle: {{{throttle}}}}}
"""


@dataclass(frozen=True)
class Table:
    name: str
    rows: int
    #: Of a column that nobody touches.
    filler: int

    @property
    def template(self) -> str:
        return f"bench_{self.name}"


def connect(url: str, database: str | None = None, **settings) -> psycopg.Connection:
    return psycopg.connect(url, **({"dbname": database} if database else {}), **settings)


def make(url: str, name: str, table: Table) -> None:
    """A database of that name, with the table as it is before anybody fills it."""
    with connect(url, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {name}")
    with connect(url, name, autocommit=True) as database:
        database.execute(
            "CREATE TABLE people (id bigint PRIMARY KEY, name text NOT NULL, seen bigint NOT NULL DEFAULT 0, filler text)")
        database.execute(
            "INSERT INTO people SELECT i, 'first' || i || ' last' || i, 0, repeat('x', %s) FROM generate_series(1, %s) i",
            (table.filler, table.rows))
        database.execute("CREATE INDEX people_name ON people (name)")
        database.execute("VACUUM (FREEZE, ANALYZE) people")


def fresh(url: str, table: Table) -> None:
    """The database `bench`, as the template is."""
    with connect(url, autocommit=True) as server:
        server.execute("DROP DATABASE IF EXISTS bench WITH (FORCE)")
        server.execute(f"CREATE DATABASE bench TEMPLATE {table.template} STRATEGY file_copy")
        server.execute("CHECKPOINT")
