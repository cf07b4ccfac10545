"""Holds what the operator asked of API servers against what it may ask.

    scripts/manifests rights AUDIT_LOG

Each line of the log is an audit event of the operator's account
(https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/). A right that no request needed is too much, one
that was never given is too few: an API server that has just started denies what it allows a moment later. Names are no
part of it: a test's Lease or webhook has one of its own.
"""

import json
import sys
from pathlib import Path

import yaml

MANIFESTS = Path(__file__).resolve().parents[2] / "manifests"
ACCOUNT = {"kind": "ServiceAccount", "name": "sluice", "namespace": "sluice-system"}


def granted():
    """(group, resource, verb) of each right that the manifests bind to the account."""
    objects = []
    for path in [MANIFESTS / "rbac/operator.yaml", MANIFESTS / "webhook.yaml"]:
        objects += [document for document in yaml.safe_load_all(path.read_text()) if document]
    bound = {
        (binding["roleRef"]["kind"], binding["roleRef"]["name"])
        for binding in objects
        if binding["kind"] in ("RoleBinding", "ClusterRoleBinding") and ACCOUNT in binding["subjects"]
    }
    return {
        (group, resource, verb)
        for role in objects
        if (role["kind"], role["metadata"]["name"]) in bound
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def asked(log):
    """What was allowed, and what never was."""
    allowed, denied = set(), set()
    for line in log:
        # The last one may be cut off where its server was killed.
        if not line.endswith("}\n"):
            continue
        event = json.loads(line)
        target = event.get("objectRef", {})
        resource = "/".join(filter(None, [target.get("resource"), target.get("subresource")]))
        decision = event.get("annotations", {}).get("authorization.k8s.io/decision")
        if decision == "forbid":
            denied.add((target.get("apiGroup", ""), resource or event["requestURI"], event["verb"]))
        elif resource:
            allowed.add((target.get("apiGroup", ""), resource, event["verb"]))
    return allowed, denied - allowed


def main():
    with open(sys.argv[1]) as log:
        allowed, denied = asked(log)
    rights = granted()
    wrong = [("was denied", right) for right in sorted(denied)]
    wrong += [("is granted, and was never needed", right) for right in sorted(rights - allowed)]
    for what, (group, resource, verb) in wrong:
        print(f"rights: {verb} {resource}{'.' + group if group else ''} {what}")
    if wrong:
        sys.exit(1)
    print(f"rights: each of the {len(rights)} that the operator has was needed, and no other was asked for")


if __name__ == "__main__":
    main()
