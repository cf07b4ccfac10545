"""The processes that are compared: started, read, told apart by what they say, stopped."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable

TICKS = os.sysconf("SC_CLK_TCK")


class Process:
    """A program whose lines are looked at as they come. `time.time()` of each line that `is_wanted` is kept."""

    def __init__(
        self, command: list[str], is_wanted: Callable[[bytes], bool], log: str, environment: dict[str, str] | None = None,
    ) -> None:
        self.lines: list[tuple[float, bytes]] = []
        self._is_wanted = is_wanted
        self._changed = threading.Condition()
        self._log = open(log, "ab")
        self.began = time.time()
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env=os.environ | (environment or {}))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout:
            now = time.time()
            self._log.write(line)
            if self._is_wanted(line):
                with self._changed:
                    self.lines.append((now, line))
                    self._changed.notify_all()
        self._log.flush()

    def wait_for_line(self, number: int, seconds: float) -> float:
        """The time at which the line of that number came, counted from 1."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.lines) >= number, seconds):
                self._log.flush()
                raise SystemExit(f"{self._process.args[0]} said {len(self.lines)} of {number} lines in {seconds} s: {self._log.name}")
            return self.lines[number - 1][0]

    @property
    def pid(self) -> int:
        return self._process.pid

    def memory(self, field: str = "VmRSS") -> int:
        """In bytes: what is resident (`VmRSS`), or was at most (`VmHWM`)."""
        with open(f"/proc/{self.pid}/status") as file:
            for line in file:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) * 1024
        raise SystemExit(f"/proc/{self.pid}/status has no {field}")

    def cpu(self) -> float:
        """Seconds, in user mode and in the kernel."""
        with open(f"/proc/{self.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def send(self, number: int) -> None:
        self._process.send_signal(number)

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._log.close()
