"""Splits names for Sluice: `python worker.py http://127.0.0.1:8001`. Needs resonate-sdk."""

import asyncio
import sys

from resonate.context import Context
from resonate.resonate import Resonate

PARTICLES = {"van", "von", "de", "der", "den", "da", "di", "la", "le"}


def split(full_name: str | None) -> dict[str, str | None]:
    """The last name begins at the first particle, or else is the last word: `Liam van der Berg`, `Mary Ann Lee`."""
    words = (full_name or "").split()
    if len(words) < 2:
        return {"first_name": words[0] if words else None, "last_name": None}
    particles = [i for i, word in enumerate(words) if i > 0 and word.lower() in PARTICLES]
    at = particles[0] if particles else len(words) - 1
    return {"first_name": " ".join(words[:at]), "last_name": " ".join(words[at:])}


async def split_name(ctx: Context, chunk: dict) -> list[dict[str, str | None]]:
    return [split(row["old"]["full_name"]) for row in chunk["rows"]]


async def main() -> None:
    resonate = Resonate(url=sys.argv[1], group="names")
    resonate.register(split_name)
    await asyncio.Event().wait()


asyncio.run(main())
