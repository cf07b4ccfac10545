"""python -m operator_bench RESULT.json: the cases in turn. Started by scripts/bench.d/operator."""

import os
import sys

from . import case_failover, case_many, case_release
from .api import Api
from .audit import AuditLog
from report import Report
from .subjects import Subjects

kubeconfig, folder = os.environ["KUBECONFIG"], os.environ["BENCH_FOLDER"]
api, subjects = Api(kubeconfig), Subjects(kubeconfig, folder)
report = Report()
cases = {
    "release": lambda: case_release.run(api, subjects, report),
    "failover": lambda: case_failover.run(api, subjects, report),
    # The last one: what it makes stays.
    "many": lambda: case_many.run(api, subjects, AuditLog(f"{folder}/audit.log"), report),
}
for name in os.environ.get("CASES", " ".join(cases)).split():
    print(f"operator: {name}", file=sys.stderr, flush=True)
    cases[name]()
report.write(sys.argv[1])
