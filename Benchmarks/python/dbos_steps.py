"""Durable steps of DBOS Transact. How to call it, and what it prints: see measure.py.

Its defaults, without tracing, and a connection for each client where that is more than the 20 of the default. Workflows
are plain functions, each in a thread: an asynchronous step hands the same work to a thread, and takes longer for it.
"""

import os
import uuid

from dbos import DBOS, DBOSConfig

import measure

clients: dict[int, measure.Client] = {}


@DBOS.step()
def step(number: int) -> int:
    return number


@DBOS.workflow()
def steps(client: int) -> int:
    for number in range(measure.STEPS):
        if clients[client].is_over:
            break
        clients[client].step(lambda: step(number))
    return client


def launch(url: str, connections: int) -> None:
    config: DBOSConfig = {
        "name": "steps",
        # Of several with one name each would recover what the others are at.
        "executor_id": str(uuid.uuid4()),
        "system_database_url": url,
        "sys_db_pool_size": max(connections, 20),
        "log_level": "ERROR",
    }
    DBOS(config=config)
    DBOS.launch()


def prepare(url: str) -> None:
    launch(url, 1)
    DBOS.destroy()


def work(url: str, client: measure.Client) -> None:
    clients[id(client)] = client
    steps(id(client))
    client.warm()
    while not client.is_over:
        steps(id(client))


if __name__ == "__main__":
    # One process is at its limit at one core, so there is one for each.
    measure.main("dbos", prepare, work, processes=lambda clients: os.cpu_count() or 1, start=launch)
