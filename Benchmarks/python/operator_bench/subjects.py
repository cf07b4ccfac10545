"""How each subject is started, and by which line it says that it knows all objects."""

import os
import sys

from .processes import Process

HERE = os.path.dirname(os.path.abspath(__file__))


class Subjects:
    def __init__(self, kubeconfig: str, folder: str) -> None:
        self.kubeconfig, self.folder = kubeconfig, folder

    def start(self, subject: str, objects: int) -> Process:
        return getattr(self, subject)(objects)

    def kubectl(self, objects: int) -> Process:
        """The floor: it lists and watches and keeps nothing. Each object is a line, after a head."""
        return Process(
            ["kubectl", "--kubeconfig", self.kubeconfig, "get", "migrations", "--all-namespaces", "--watch"],
            lambda line: not line.startswith(b"NAMESPACE "), f"{self.folder}/kubectl.log")

    def sluice(self, objects: int, identity: str = "bench", *more: str) -> Process:
        return Process(
            [os.environ["SLUICE_BINARY"], "operator", "--kubeconfig", self.kubeconfig, "--lease-namespace", "default",
             "--identity", identity, *more],
            lambda line: b"looked at every Migration that was listed" in line, f"{self.folder}/{identity}.log")

    def kopf(self, objects: int) -> Process:
        return Process(
            [sys.executable, "-m", "kopf", "run", "--standalone", "--all-namespaces", "--quiet",
             f"{HERE}/kopf_operator.py"],
            lambda line: line.startswith(b"bench: all are seen"), f"{self.folder}/kopf.log",
            {"KUBECONFIG": self.kubeconfig, "BENCH_OBJECTS": str(objects)})

    @staticmethod
    def synced(subject: str, process: Process, objects: int, seconds: float = 300) -> float:
        """Seconds from the start of the process until it knew all objects."""
        return process.wait_for_line(objects if subject == "kubectl" else 1, seconds) - process.began
