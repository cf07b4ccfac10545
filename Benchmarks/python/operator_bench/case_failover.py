"""Two operators with the lease settings that the chart has; the one that leads is asked to stop, or killed. From the signal
until the other holds the lease, and until it has reconciled a change that was made after the first was gone."""

import os
import random
import signal
import time

from .api import MIGRATIONS, Api, Follower
from .processes import Process
from report import Report
from .subjects import Subjects

NAMESPACE = "failover"
#: How often with each signal.
ROUNDS = {
    signal.SIGTERM: int(os.environ.get("STOPS", "20")),
    signal.SIGKILL: int(os.environ.get("KILLS", "10")),
}


def run(api: Api, subjects: Subjects, report: Report) -> None:
    api.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    collection = f"{MIGRATIONS}/namespaces/{NAMESPACE}/migrations"
    made = api.create(collection, {
        "apiVersion": "sluice.dev/v1alpha1", "kind": "Migration", "metadata": {"name": "watched"},
        "spec": {
            "suspend": True,
            "database": {"urlFrom": {"secretKeyRef": {"name": "shop-db", "key": "url"}}},
            "changes": [{"addColumn": {"table": "customers", "column": {"name": "note", "type": "text"}}}],
        },
    })
    observed: dict[int, float] = {}
    leaders: dict[str, float] = {}

    def see_migration(migration: dict, now: float) -> None:
        observed.setdefault(migration.get("status", {}).get("observedGeneration", -1), now)

    def see_lease(lease: dict, now: float) -> None:
        if lease["metadata"]["name"] == "sluice":
            leaders.setdefault(lease["spec"].get("holderIdentity", ""), now)

    operators: dict[str, Process] = {}

    def start() -> str:
        name = f"replica-{len(operators) + 1}"
        operators[name] = subjects.sluice(0, name, "--namespace", NAMESPACE)
        return name

    with Follower(api, "/apis/coordination.k8s.io/v1/namespaces/default/leases", see_lease) as leases, \
            Follower(api, collection, see_migration) as migrations:
        leader = start()
        leases.until("the first leads", lambda: leader in leaders, 60)
        migrations.until("it has reconciled", lambda: made["metadata"]["generation"] in observed, 60)
        for number, count in ROUNDS.items():
            lease_taken, reconciled = [], []
            for _ in range(count):
                other = start()
                # It has seen the lease renewed by then. It looks every two seconds, and the signal may come at any moment of
                # these.
                time.sleep(4 + random.uniform(0, 2))
                began = time.time()
                operators[leader].stop(number)
                changed = api.merge(f"{collection}/watched", {"spec": {"contract": {"soak": f"{time.time_ns() // 1000 % 10**8}ms"}}})
                generation = changed["metadata"]["generation"]
                leases.until(f"{other} leads", lambda: other in leaders, 120)
                migrations.until(f"{other} has reconciled", lambda: generation in observed, 120)
                lease_taken.append(leaders[other] - began)
                reconciled.append(observed[generation] - began)
                leader = other
            if count:
                report.add_distribution("failover", "sluice", f"{number.name}, lease taken", "s", lease_taken)
                report.add_distribution("failover", "sluice", f"{number.name}, reconciled", "s", reconciled)
    operators[leader].stop()
