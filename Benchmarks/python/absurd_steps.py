"""Durable steps of Absurd. How to call it, and what it prints: see measure.py.

Its schema is made with absurdctl, as it documents. Each client is a worker with a connection of its own; a task spawns its
successor, so that no worker ever waits for its next poll.
"""

import os
import subprocess
import sys
from pathlib import Path

from absurd_sdk import Absurd

import measure

QUEUE = "default"


def prepare(url: str) -> None:
    environment = os.environ | {"ABSURD_DATABASE_URL": url}
    absurdctl = str(Path(sys.executable).parent / "absurdctl")
    subprocess.run([absurdctl, "init"], env=environment, check=True, stdout=subprocess.DEVNULL)
    subprocess.run([absurdctl, "create-queue", QUEUE], env=environment, check=True, stdout=subprocess.DEVNULL)


def work(url: str, client: measure.Client) -> None:
    app = Absurd(url, queue_name=QUEUE)
    is_warm = False

    @app.register_task(name="steps")
    def steps(params, context) -> None:
        nonlocal is_warm
        for number in range(measure.STEPS):
            if client.is_over:
                app.stop_worker()
                return
            client.step(lambda: context.step(f"step-{number}", lambda: number))
        app.spawn("steps", {})
        if not is_warm:
            is_warm = True
            client.warm()

    app.spawn("steps", {})
    app.start_worker()
    app.close()


if __name__ == "__main__":
    # Its documentation recommends processes to have more workers; one for each core did best, one for each worker worst.
    measure.main("absurd", prepare, work, processes=lambda clients: os.cpu_count() or 1)
