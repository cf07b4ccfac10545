"""The API server, as the driver talks to it: requests on connections that stay, one for each thread, and watches."""

import base64
import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import yaml

MIGRATIONS = "/apis/sluice.dev/v1alpha1"


class ApiError(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text[:400]}")
        self.status = status


class Api:
    """With the first user and the first cluster of a kubeconfig."""

    def __init__(self, kubeconfig: str) -> None:
        with open(kubeconfig) as file:
            config = yaml.safe_load(file)
        cluster = config["clusters"][0]["cluster"]
        current = next(entry for entry in config["contexts"] if entry["name"] == config["current-context"])
        user = next(entry for entry in config["users"] if entry["name"] == current["context"]["user"])["user"]
        self._address = urlsplit(cluster["server"])
        if "certificate-authority-data" in cluster:
            authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
            self._tls = ssl.create_default_context(cadata=authority)
        else:
            self._tls = ssl.create_default_context(cafile=cluster["certificate-authority"])
        self._headers = {"Authorization": f"Bearer {user['token']}", "User-Agent": "sluice-bench"}
        self._thread = threading.local()

    def _connect(self, timeout: float) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(
            self._address.hostname, self._address.port, context=self._tls, timeout=timeout)

    def request(self, method: str, path: str, body: dict | None = None, kind: str = "application/json") -> dict:
        connection = getattr(self._thread, "connection", None)
        if connection is None:
            connection = self._thread.connection = self._connect(60)
        data = None if body is None else json.dumps(body)
        try:
            connection.request(method, path, data, self._headers | {"Content-Type": kind})
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self._thread.connection = None
            raise
        if answer.status >= 400:
            raise ApiError(answer.status, text.decode(errors="replace"))
        return json.loads(text)

    def get(self, path: str) -> dict:
        return self.request("GET", path)

    def create(self, path: str, body: dict, manager: str = "sluice-bench") -> dict:
        return self.request("POST", f"{path}?fieldManager={manager}", body)

    def merge(self, path: str, body: dict) -> dict:
        return self.request("PATCH", path, body, "application/merge-patch+json")

    def delete(self, path: str) -> dict:
        return self.request("DELETE", path)

    def each(self, work: Callable, items: list, threads: int = 12) -> None:
        """Does `work` for all items, so many at a time."""
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(work, items):
                pass

    def watch(self, path: str, connection_made: Callable) -> Iterator[dict]:
        """The events of a watch, what is there first. Ends when the connection is closed."""
        connection = self._connect(3600)
        connection_made(connection)
        connection.request("GET", f"{path}?watch=true", None, self._headers)
        answer = connection.getresponse()
        while line := answer.readline():
            yield json.loads(line)


class Follower:
    """What a watch has told, as `read` makes of each object, with the time at which it did.

    Callers wait for what they want to see: `until` is asked again whenever something was told.
    """

    def __init__(self, api: Api, path: str, see: Callable[[dict, float], None]) -> None:
        self._changed = threading.Condition()
        self._api, self._path, self._see = api, path, see
        self._connection: http.client.HTTPSConnection | None = None
        self._is_over = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Follower":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._is_over = True
        if self._connection is not None and self._connection.sock is not None:
            self._connection.sock.shutdown(2)
        self._thread.join()

    def _made(self, connection: http.client.HTTPSConnection) -> None:
        self._connection = connection

    def _run(self) -> None:
        try:
            for event in self._api.watch(self._path, self._made):
                now = time.time()
                if event["type"] in ("ADDED", "MODIFIED"):
                    with self._changed:
                        self._see(event["object"], now)
                        self._changed.notify_all()
        except (OSError, http.client.HTTPException, ValueError):
            if not self._is_over:
                raise

    def until(self, what: str, is_so: Callable[[], bool], seconds: float) -> None:
        with self._changed:
            if not self._changed.wait_for(is_so, seconds):
                raise SystemExit(f"waited for {seconds} s in vain: {what}")
