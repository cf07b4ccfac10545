"""Scenarios of the unmodified resonate-sdk against a promise server that runs.

    python run.py SCENARIO --url http://127.0.0.1:8001
    python run.py --list

A scenario is a file in scenarios/; its first line says what it shows. It makes ids and groups of its own, so several may
run at a server at once. The exit code is 0 if it held, and 1 otherwise, with the reason and what the workers said.

    --second-url URL   another server on the same database, for `replicas`
    --kill PID         the server of --url, which `replicas` kills
    --seconds N        how long `long` goes on (310)
"""

import argparse
import asyncio
import importlib
import logging
import pathlib
import sys
import tempfile
import time

from stage import Failure, Stage


def names() -> list[str]:
    return sorted(path.stem for path in (pathlib.Path(__file__).parent / "scenarios").glob("*.py"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", nargs="?", choices=names())
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--url")
    parser.add_argument("--second-url")
    parser.add_argument("--kill", type=int)
    parser.add_argument("--seconds", type=float, default=310)
    options = parser.parse_args()
    if options.list:
        for name in names():
            print(f"{name:12}", importlib.import_module(f"scenarios.{name}").__doc__.splitlines()[0])
        return 0
    if not options.scenario or not options.url:
        parser.error("a scenario and --url are needed")

    module = importlib.import_module(f"scenarios.{options.scenario}")
    with tempfile.TemporaryDirectory(prefix="sluice-sdk-") as folder:
        # What the SDK says in this process is kept beside what the workers say.
        logging.basicConfig(filename=f"{folder}/client.log", level=logging.INFO)
        began = time.monotonic()
        reason = asyncio.run(outcome(module, options, folder))
        if reason is None:
            print(f"{options.scenario} held, {time.monotonic() - began:.1f} s")
            return 0
        for log in sorted(pathlib.Path(folder).glob("*.log")):
            print(f"--- {log.name}, its end:", *log.read_text().splitlines()[-25:], sep="\n", file=sys.stderr)
        print(f"{options.scenario} did not hold: {reason}", file=sys.stderr)
        return 1


async def outcome(module, options: argparse.Namespace, folder: str) -> str | None:
    """Nil if the scenario held, else why not."""
    limit = getattr(module, "limit", lambda _: 60)(options)
    stage = Stage(options, folder)
    try:
        async with asyncio.timeout(limit):
            await module.scenario(stage)
    except Failure as failure:
        return str(failure)
    except TimeoutError:
        return f"not over within {limit} s; last: {stage.last}"
    finally:
        await stage.leave()
    return None


if __name__ == "__main__":
    sys.exit(main())
