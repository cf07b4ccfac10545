"""Evaluates the admission policies of a file as an API server does, by the C++ implementation of CEL.

    scripts/manifests evaluate POLICY < CASES

Standard input is a JSON list of cases: {"request": {…}, "object": …, "oldObject": …, "params": …}. Standard output is a JSON
list of what each comes to: {"matches": …, "patch": […], "denied": […]}. An expression that does not compile, or goes wrong,
is told on standard error, and fails all.
"""

import json
import sys

import yaml
from cel_expr_python import cel
from cel_expr_python.ext import ext_strings
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, struct_pb2


def json_patch_pool():
    """The type JSONPatch, which the API server gives to expressions that make one."""
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(struct_pb2.DESCRIPTOR.serialized_pb)
    file = descriptor_pb2.FileDescriptorProto(name="patch.proto", syntax="proto3")
    file.dependency.append("google/protobuf/struct.proto")
    message = file.message_type.add(name="JSONPatch")
    string, value = descriptor_pb2.FieldDescriptorProto.TYPE_STRING, descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
    for number, name in enumerate(["op", "path", "from"], 1):
        message.field.add(name=name, number=number, type=string, label=1)
    message.field.add(name="value", number=4, type=value, type_name=".google.protobuf.Value", label=1)
    pool.AddSerializedFile(file.SerializeToString())
    return pool


NAMES = ["object", "oldObject", "request", "params", "variables"]
ENVIRONMENT = cel.NewEnv(
    descriptor_pool=json_patch_pool(), variables={name: cel.Type.DYN for name in NAMES}, extensions=[ext_strings.ExtStrings()]
)


class Policy:
    """The first document of a file, compiled."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.spec = next(yaml.safe_load_all(file))["spec"]
        self.conditions = [self.compiled(c) for c in self.spec.get("matchConditions", [])]
        self.variables = [(v["name"], self.compiled(v)) for v in self.spec.get("variables", [])]
        self.validations = [
            (self.compiled(v), self.compiled({"expression": v["messageExpression"]}) if "messageExpression" in v else v["message"])
            for v in self.spec.get("validations", [])
        ]
        self.mutations = [self.compiled(m["jsonPatch"]) for m in self.spec.get("mutations", [])]

    @staticmethod
    def compiled(holder):
        try:
            return ENVIRONMENT.compile(holder["expression"])
        except Exception as error:
            sys.exit(f"{holder['expression']}\n{error}")

    def rules_match(self, request):
        kinds = {
            "deployments": "Deployment", "statefulsets": "StatefulSet", "daemonsets": "DaemonSet", "cronjobs": "CronJob",
            "jobs": "Job", "rollouts": "Rollout",
        }
        return any(
            request["kind"]["group"] in rule["apiGroups"]
            and request["kind"]["kind"] in [kinds[r] for r in rule["resources"]]
            and request["operation"] in rule["operations"]
            and not request.get("subResource")
            for rule in self.spec["matchConstraints"]["resourceRules"]
        )

    def evaluate(self, case):
        data = {name: case.get(name) for name in NAMES if name != "variables"}
        answer = {"matches": False, "patch": [], "denied": []}
        if not self.rules_match(case["request"]):
            return answer
        data["variables"] = {}
        if not all(value(condition, data) for condition in self.conditions):
            return answer
        answer["matches"] = True
        for name, expression in self.variables:
            data["variables"][name] = value(expression, data)
        for mutation in self.mutations:
            answer["patch"] += [operation(patch) for patch in value(mutation, data)]
        for expression, message in self.validations:
            if not value(expression, data):
                answer["denied"].append(message if isinstance(message, str) else value(message, data))
        return answer


def value(expression, data):
    result = expression.eval(data=data)
    if result.type() == cel.Type.ERROR:
        raise ValueError(f"{result.value()}")
    return result.plain_value()


def operation(patch):
    return json_format.MessageToDict(patch, preserving_proto_field_name=True)


if __name__ == "__main__":
    policy = Policy(sys.argv[1])
    json.dump([policy.evaluate(case) for case in json.load(sys.stdin)], sys.stdout)
