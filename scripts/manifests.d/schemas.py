"""Validates objects against the schemas of their kinds, strictly: a field that a schema does not know is wrong.

    scripts/manifests schemas [--kubernetes VERSION] < MANIFESTS

For servers that are newer than those of the tests, and for kinds that others bring. Prints what is wrong, and exits 1.
"""

import argparse
import sys

import kubernetes_validate
import yaml
from cloudcoil.models.fluxcd import helm, kustomize, source
from cloudcoil.models.prometheus_operator import v1 as prometheus
from pydantic import ValidationError

MODELS = {
    ("monitoring.coreos.com/v1", "ServiceMonitor"): prometheus.ServiceMonitor,
    ("kustomize.toolkit.fluxcd.io/v1", "Kustomization"): kustomize.v1.Kustomization,
    ("source.toolkit.fluxcd.io/v1", "GitRepository"): source.v1.GitRepository,
    ("helm.toolkit.fluxcd.io/v2", "HelmRelease"): helm.v2.HelmRelease,
}


def lost(given, kept, path=""):
    """What a model dropped, for it did not know it."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            if key not in kept:
                yield f"{path}.{key} is unknown"
            else:
                yield from lost(value, kept[key], f"{path}.{key}")
    elif isinstance(given, list) and isinstance(kept, list):
        for index, pair in enumerate(zip(given, kept)):
            yield from lost(*pair, f"{path}[{index}]")


def wrong(manifest, version):
    model = MODELS.get((manifest.get("apiVersion"), manifest.get("kind")))
    try:
        if model:
            kept = model.model_validate(manifest).model_dump(by_alias=True, exclude_unset=True, mode="json")
            yield from lost(manifest, kept)
        else:
            kubernetes_validate.validate(manifest, version, strict=True)
    except ValidationError as error:
        yield from (f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors())
    except kubernetes_validate.ValidationError as error:
        yield f"{'.'.join(map(str, error.absolute_path))}: {error.message}"
    except kubernetes_validate.SchemaNotFoundError as error:
        yield error.message


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="scripts/manifests schemas")
    parser.add_argument("--kubernetes", default="1.36", help="the version whose schemas are taken")
    arguments = parser.parse_args()
    found = False
    for manifest in yaml.safe_load_all(sys.stdin):
        if not manifest:
            continue
        for problem in wrong(manifest, arguments.kubernetes):
            found = True
            print(f"{manifest.get('kind')}/{manifest.get('metadata', {}).get('name')}: {problem}")
    sys.exit(found)
