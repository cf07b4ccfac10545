"""From Verified to a rollout that is released: Deployments wait, held, each for a Migration of its own; the Migrations are made
one after the other. Timed by one program that watches both kinds."""

import json
import os
import subprocess
import time

from .api import MIGRATIONS, Api, Follower
from report import Report
from .subjects import Subjects

NAMESPACE = "release"
COUNT = int(os.environ.get("RELEASES", "100"))
ROWS = 1000


def run(api: Api, subjects: Subjects, report: Report) -> None:
    prepare(api)
    operator = subjects.sluice(0, "release", "--namespace", NAMESPACE)
    deployments = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
    migrations = f"{MIGRATIONS}/namespaces/{NAMESPACE}/migrations"
    held: dict[str, float] = {}
    released: dict[str, float] = {}
    verified: dict[str, tuple[float, str]] = {}

    def see_deployment(deployment: dict, now: float) -> None:
        name = deployment["metadata"]["name"]
        if deployment["spec"].get("paused"):
            held.setdefault(name, now)
        elif name in held:
            released.setdefault(name, now)

    def see_migration(migration: dict, now: float) -> None:
        status = migration.get("status", {})
        for condition in status.get("conditions", []):
            if condition["type"] == "Verified" and condition["status"] == "True":
                verified.setdefault(migration["metadata"]["name"], (now, status["promise"]))

    with Follower(api, deployments, see_deployment) as rollouts, Follower(api, migrations, see_migration) as proofs:
        api.each(lambda index: api.create(deployments, deployment(index)), range(COUNT))
        rollouts.until("every rollout is held", lambda: len(held) == COUNT, 120)
        for index in range(COUNT):
            name = f"shop-{index:03}"
            api.create(migrations, migration(index))
            proofs.until(f"{name} is verified", lambda: name in verified, 120)
            rollouts.until(f"{name} is released", lambda: name in released, 120)
            # Whatever the operator does afterwards is no part of the next one.
            time.sleep(0.2)
    operator.stop()

    settled = promises([promise for _, promise in verified.values()])
    case = "release"
    report.add_distribution(
        case, "sluice", "from Verified", "ms", [(released[name] - at) * 1000 for name, (at, _) in verified.items()])
    report.add_distribution(
        case, "sluice", "from the settled promise", "ms",
        [(released[name] - settled[promise]) * 1000 for name, (_, promise) in verified.items()])


def prepare(api: Api) -> None:
    api.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    api.create(f"/api/v1/namespaces/{NAMESPACE}/secrets", {
        "metadata": {"name": "shop-db"}, "stringData": {"url": os.environ["BENCH_DATABASE_URL"]},
    })
    query("".join(
        f"CREATE TABLE shop_{index} (id bigint PRIMARY KEY, balance integer NOT NULL);"
        f"INSERT INTO shop_{index} SELECT i, i FROM generate_series(1, {ROWS}) i;"
        for index in range(COUNT)
    ))


def migration(index: int) -> dict:
    return {
        "apiVersion": "sluice.dev/v1alpha1", "kind": "Migration", "metadata": {"name": f"shop-{index:03}"},
        "spec": {
            "database": {"urlFrom": {"secretKeyRef": {"name": "shop-db", "key": "url"}}},
            "changes": [{"alterColumn": {
                "table": f"shop_{index}", "column": "balance", "to": {"name": "cents", "type": "bigint"},
                "forward": "balance::bigint * 100", "backward": "(cents / 100)::integer",
            }}],
        },
    }


def deployment(index: int) -> dict:
    name = f"shop-{index:03}"
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "replicas": 1, "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}, "annotations": {"sluice.dev/requires": name}},
                "spec": {"containers": [{"name": "api", "image": "registry.example/shop-api:2"}]},
            },
        },
    }


def promises(names: list[str]) -> dict[str, float]:
    """When each promise was settled, in seconds, by the database's clock, which is this machine's."""
    lines = query("SELECT json_object_agg(id, settled_at) FROM sluice.promise WHERE state = 'resolved'")
    found = json.loads(lines)
    return {name: found[name] / 1000 for name in names}


def query(statement: str) -> str:
    return subprocess.run(
        ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1",
         "--dbname", os.environ["BENCH_DATABASE_URL"]],
        input=statement, capture_output=True, text=True, check=True).stdout
