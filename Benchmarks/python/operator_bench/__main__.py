"""python -m operator_bench RESULT.json: the cases in turn. Started by scripts/bench.d/operator."""

import os
import sys

from . import case_many
from .api import Api
from .audit import AuditLog
from .report import Report
from .subjects import Subjects

kubeconfig, folder = os.environ["KUBECONFIG"], os.environ["BENCH_FOLDER"]
api, subjects = Api(kubeconfig), Subjects(kubeconfig, folder)
report = Report()
case_many.run(api, subjects, AuditLog(f"{folder}/audit.log"), report)
report.write(sys.argv[1])
