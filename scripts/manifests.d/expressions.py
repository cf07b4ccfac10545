"""Evaluates CEL expressions over objects whose fields are variables, as Flux does with healthCheckExprs.

    scripts/manifests expressions < QUESTIONS

Standard input is JSON: {"expressions": {"NAME": "…"}, "objects": […]}. Standard output is a JSON list with, for each object,
what each expression comes to: {"NAME": true}. Null stands for an error, as of a field that is not there.
"""

import json
import sys

from cel_expr_python import cel

FIELDS = ["apiVersion", "kind", "metadata", "spec", "status"]


def main():
    questions = json.load(sys.stdin)
    environment = cel.NewEnv(variables={name: cel.Type.DYN for name in FIELDS})
    expressions = {name: environment.compile(text) for name, text in questions["expressions"].items()}

    def value(expression, item):
        result = expression.eval(data={name: item[name] for name in FIELDS if name in item})
        return None if result.type() == cel.Type.ERROR else result.plain_value()

    answers = [
        {name: value(expression, item) for name, expression in expressions.items()} for item in questions["objects"]
    ]
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
