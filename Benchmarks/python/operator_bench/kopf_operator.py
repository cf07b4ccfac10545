"""An operator of Kopf for the same kind that does what Sluice does for a Migration that rests: it looks at each, and writes
the generation that it has seen into the status where another stands there. Run by `kopf run`.

The handler is the cheapest that Kopf has: of plain events, with nothing kept on the object.
"""

import os

import kopf

listed = int(os.environ["BENCH_OBJECTS"])
seen = 0


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, **_):
    settings.posting.enabled = False


@kopf.on.event("sluice.dev", "v1alpha1", "migrations")
def look(meta, status, patch, **_):
    global seen
    generation = meta["generation"]
    if status.get("observedGeneration") != generation:
        patch.status["observedGeneration"] = generation
        patch.status["conditions"] = [
            dict(condition, observedGeneration=generation) for condition in status.get("conditions", [])
        ]
    seen += 1
    if seen == listed:
        print("bench: all are seen", flush=True)
