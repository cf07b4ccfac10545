"""What was written, by whom: counted from the API server's audit log."""

import json
import os
import time

POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  verbs: [create, update, patch, delete, deletecollection]
- level: None
"""


class AuditLog:
    def __init__(self, path: str) -> None:
        self._path = path

    def mark(self) -> int:
        """A place in the log from which to count. What was answered is there: the log is written before the answer."""
        return os.path.getsize(self._path)

    def writes(self, agent: str, mark: int) -> int:
        """Writes to Migrations, and events, by the program whose User-Agent begins so, after the mark."""
        count = 0
        with open(self._path) as file:
            file.seek(mark)
            for line in file:
                entry = json.loads(line)
                if not entry.get("userAgent", "").lower().startswith(agent):
                    continue
                reference = entry.get("objectRef", {})
                if reference.get("apiGroup") == "sluice.dev" or reference.get("resource") == "events":
                    count += 1
        return count
