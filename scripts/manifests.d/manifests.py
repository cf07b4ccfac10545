"""What scripts/manifests does: its manual is there."""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

import helm_python as helm
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts/sluice"
MANIFESTS = ROOT / "manifests"
NAMESPACE = "sluice-system"

# What Helm and its users add, and a kustomize base does without.
HELM_LABELS = {
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/version",
    "helm.sh/chart",
}


class Wrong(Exception):
    """Something to tell, with no need of a traceback."""


def documents(text):
    return [document for document in yaml.safe_load_all(text) if document]


def render(values=None, name="sluice", namespace=NAMESPACE):
    """The chart's templates by path, without those that came to nothing."""
    with helm.Chart.load(CHART) as chart:
        try:
            chart.validate_schema(values or {})
            rendered = chart.render(values or {}, name=name, namespace=namespace)
        except helm.HelmError as error:
            raise Wrong(str(error)) from None
    templates = {path.removeprefix("sluice/templates/"): text for path, text in sorted(rendered.items())}
    return {path: text for path, text in templates.items() if path.endswith(".yaml") and documents(text)}


# --- what follows from what ---------------------------------------------------------------------------------------------

WRITTEN = "# Written by `scripts/manifests write`, from {}.\n"


def chart_crds():
    """The custom resources as a template, with a switch, and kept when the release is uninstalled."""
    text = WRITTEN.format("manifests/crd") + "{{- if .Values.crds.enabled }}\n"
    for path in sorted((MANIFESTS / "crd").glob("*.yaml")):
        crd = path.read_text()
        if "{{" in crd:
            raise Wrong(f"{path}: has braces, which a template would take for its own")
        labels = "  labels:\n    app.kubernetes.io/name: sluice\n"
        if crd.count(labels) != 1:
            raise Wrong(f"{path}: is expected to have the label app.kubernetes.io/name alone")
        annotations = (
            "  {{- if .Values.crds.keep }}\n  annotations:\n    helm.sh/resource-policy: keep\n  {{- end }}\n"
            '  labels:\n    {{- include "sluice.labels" . | nindent 4 }}\n'
        )
        text += "---\n" + crd.replace(labels, annotations)
    return text + "{{- end }}\n"


def chart_rules():
    """The rules of every role, by its name."""
    rules = {}
    for path in ["rbac/operator.yaml", "webhook.yaml"]:
        for manifest in documents((MANIFESTS / path).read_text()):
            if manifest["kind"] in ("Role", "ClusterRole"):
                rules[manifest["metadata"]["name"]] = manifest["rules"]
    dumped = yaml.safe_dump(rules, sort_keys=False, default_flow_style=None, width=120)
    return WRITTEN.format("manifests/rbac and manifests/webhook.yaml") + dumped


def operator_manifest():
    """The Deployment and its Service by the chart's default values, as text, so that comments stay."""
    rendered = render()
    texts = [rendered[path].strip() for path in ["deployment.yaml", "service.yaml"]]
    lines = "\n---\n".join(texts).splitlines()
    kept = [line for line in lines if line.partition(":")[0].strip() not in HELM_LABELS]
    head = WRITTEN.format("the chart's default values") + "# The operator itself: it needs manifests/crd and manifests/rbac.\n"
    return head + "\n".join(kept) + "\n"


def derived():
    """The text of each file that follows from others. In this order, for the last one follows from the first two."""
    return [
        (CHART / "templates/crds.yaml", chart_crds),
        (CHART / "files/rules.yaml", chart_rules),
        (MANIFESTS / "operator.yaml", operator_manifest),
    ]


def write():
    for path, text in derived():
        wanted = text()
        if not path.exists() or path.read_text() != wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted)
            print(path.relative_to(ROOT))


# --- whether it does ----------------------------------------------------------------------------------------------------


def comparable(manifest):
    """An object without what Helm adds, anywhere in it."""
    if isinstance(manifest, list):
        return [comparable(value) for value in manifest]
    if not isinstance(manifest, dict):
        return manifest
    kept = {key: comparable(value) for key, value in manifest.items() if key not in HELM_LABELS}
    kept.pop("helm.sh/resource-policy", None)
    return {key: value for key, value in kept.items() if not (key == "annotations" and value == {})}


def by_name(manifests):
    return {
        (m["kind"], m["metadata"].get("namespace", ""), m["metadata"]["name"]): comparable(m)
        for m in manifests
        if m["kind"] != "Namespace"
    }


def differences(left, right, path=""):
    """Where two values differ, a line each."""
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted(left.keys() | right.keys(), key=str):
            yield from differences(left.get(key), right.get(key), f"{path}.{key}")
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for index, pair in enumerate(zip(left, right)):
            yield from differences(*pair, f"{path}[{index}]")
    elif left != right:
        yield f"{path}: {json.dumps(left)} in the chart, {json.dumps(right)} in the manifests"


def kustomized():
    """The objects of the kustomize base, as kubectl builds it."""
    build = subprocess.run(
        ["kubectl", "kustomize", str(MANIFESTS)], capture_output=True, text=True, check=False
    )
    if build.returncode:
        raise Wrong(f"kubectl kustomize manifests: {build.stderr.strip()}")
    return documents(build.stdout)


def compare(what, values, manifests):
    chart = by_name(d for text in render(values).values() for d in documents(text))
    base = by_name(manifests)
    for name in sorted(chart.keys() | base.keys()):
        label = "/".join(part for part in name if part)
        if name not in chart:
            yield f"{what}: {label} is in the manifests, but not in the chart"
        elif name not in base:
            yield f"{what}: {label} is in the chart, but not in the manifests"
        else:
            yield from (f"{what}: {label}: {line}" for line in differences(chart[name], base[name]))


def without_webhook_arguments(manifests):
    """The base's Deployment with what the head of webhook.yaml says to add to it."""
    for manifest in manifests:
        if manifest["kind"] == "Deployment":
            container = manifest["spec"]["template"]["spec"]["containers"][0]
            at = container["args"].index("--gates-bind-address=:8080") + 1
            container["args"][at:at] = [
                "--webhook-bind-address=:9443", "--webhook-failure-policy=Ignore", "--webhook-configuration=sluice",
            ]
            container["ports"].append({"name": "webhook", "containerPort": 9443, "protocol": "TCP"})
        yield manifest


def findings():
    for path, text in derived():
        if not path.exists() or path.read_text() != text():
            yield f"{path.relative_to(ROOT)} does not follow any more: scripts/manifests write"
    yield from compare("default values", {}, kustomized())
    webhook = documents((MANIFESTS / "webhook.yaml").read_text())
    with_webhook = list(without_webhook_arguments(kustomized())) + webhook
    yield from compare("with the webhook", {"webhook": {"enabled": True}}, with_webhook)
    for message in helm.lint(CHART, {}, strict=True)["messages"]:
        # That there is no icon is information only.
        if message["severity"] > 1:
            yield f"helm lint: {message['path']}: {message['error']}"
    version = re.search(r'static let version = "(.+)"', (ROOT / "Sources/sluice/Sluice.swift").read_text())[1]
    app_version = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
    if app_version != version:
        yield f"the chart's appVersion is {app_version}, the program's version {version}"
    yield from undocumented()


def undocumented():
    """Values and their schema know the same keys."""

    def keys(schema, path=""):
        for key, value in schema.get("properties", {}).items():
            yield path + key
            yield from keys(value, f"{path}{key}.")

    def paths(values, path=""):
        for key, value in values.items():
            yield path + key
            if isinstance(value, dict):
                yield from paths(value, f"{path}{key}.")

    schema = set(keys(json.loads((CHART / "values.schema.json").read_text()))) - {"global"}
    values = set(paths(yaml.safe_load((CHART / "values.yaml").read_text())))
    # What Kubernetes says of these is not repeated among the values.
    free = ("resources.", "podSecurityContext.", "securityContext.", "webhook.namespaceSelector.", "webhook.objectSelector.")
    for key in sorted(schema ^ values):
        if not key.startswith(free):
            yield f"{key} is in one of values.yaml and values.schema.json only"


def main():
    parser = argparse.ArgumentParser(prog="scripts/manifests")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("write")
    commands.add_parser("check")
    rendering = commands.add_parser("render")
    rendering.add_argument("--name", default="sluice")
    rendering.add_argument("--namespace", default=NAMESPACE)
    rendering.add_argument("--values")
    packaging = commands.add_parser("package")
    packaging.add_argument("folder")
    arguments = parser.parse_args()
    if arguments.command == "write":
        write()
    elif arguments.command == "check":
        found = list(findings())
        for finding in found:
            print(finding, file=sys.stderr)
        sys.exit(bool(found))
    elif arguments.command == "package":
        print(helm.package(CHART, destination=arguments.folder))
    else:
        source = sys.stdin if arguments.values == "-" else arguments.values and open(arguments.values, encoding="utf-8")
        values = (yaml.safe_load(source) if source else None) or {}
        for path, text in render(values, arguments.name, arguments.namespace).items():
            print(f"---\n# Source: sluice/templates/{path}\n{text.strip()}")


if __name__ == "__main__":
    try:
        main()
    except Wrong as error:
        sys.exit(f"manifests: {error}")
