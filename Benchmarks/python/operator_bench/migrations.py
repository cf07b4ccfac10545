"""Ten thousand Migrations as `kubectl apply` makes them: with its annotation, and with its entry in managedFields."""

import json

from .api import MIGRATIONS, Api, Follower

NAMESPACE = "bench"
COLLECTION = f"{MIGRATIONS}/namespaces/{NAMESPACE}/migrations"


def name(index: int) -> str:
    return f"split-customer-name-{index:05}"


def migration(index: int) -> dict:
    """One that rests: it is suspended before it has begun."""
    manifest = {
        "apiVersion": "sluice.dev/v1alpha1",
        "kind": "Migration",
        "metadata": {
            "name": name(index),
            "namespace": NAMESPACE,
            "labels": {"app.kubernetes.io/name": "shop", "app.kubernetes.io/part-of": f"shop-{index % 100}"},
            "annotations": {},
        },
        "spec": {
            "suspend": True,
            "database": {"urlFrom": {"secretKeyRef": {"name": "shop-db", "key": "url"}}},
            "changes": [{
                "replaceColumns": {
                    "table": f"customers_{index}",
                    "from": ["full_name"],
                    "to": [{"name": "first_name", "type": "text"}, {"name": "last_name", "type": "text"}],
                    "forward": {
                        "first_name": "split_part(full_name, ' ', 1)",
                        "last_name": "substr(full_name, strpos(full_name || ' ', ' ') + 1)",
                    },
                    "backward": {"full_name": "rtrim(first_name || ' ' || last_name)"},
                },
            }],
            "backfill": {"chunkDuration": "40ms", "workers": 4},
            "rollouts": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": f"shop-api-{index}"}],
            "contract": {"soak": "10m", "keepFor": "24h"},
        },
    }
    applied = json.dumps(manifest, separators=(",", ":")) + "\n"
    manifest["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": applied}
    return manifest


def create(api: Api, count: int) -> None:
    api.each(lambda index: api.create(COLLECTION, migration(index), "kubectl-client-side-apply"), range(count))


class Generations:
    """Of each Migration its generation, the one that its status says was seen, and when each was first told of."""

    def __init__(self, api: Api) -> None:
        self.written: dict[str, tuple[int, float]] = {}
        self.observed: dict[str, tuple[int, float]] = {}
        self._behind: set[str] = set()
        self._follower = Follower(api, COLLECTION, self._see)

    def __enter__(self) -> "Generations":
        self._follower.__enter__()
        return self

    def __exit__(self, *error) -> None:
        self._follower.__exit__(*error)

    def _see(self, migration: dict, now: float) -> None:
        name, generation = migration["metadata"]["name"], migration["metadata"]["generation"]
        seen = migration.get("status", {}).get("observedGeneration", -1)
        if self.written.get(name, (0, 0))[0] != generation:
            self.written[name] = generation, now
        if self.observed.get(name, (-2, 0))[0] != seen:
            self.observed[name] = seen, now
        (self._behind.discard if seen == generation else self._behind.add)(name)

    def until_told(self, count: int) -> None:
        self._follower.until(f"{count} Migrations are there", lambda: len(self.written) >= count, 300)

    def until_settled(self, seconds: float) -> None:
        self._follower.until("each status is of the present spec", lambda: not self._behind, seconds)

    def until_written(self, name: str, generation: int) -> None:
        self._follower.until(
            f"generation {generation} of {name} is told", lambda: self.written[name][0] >= generation, 60)
